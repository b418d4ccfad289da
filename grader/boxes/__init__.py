"""Places where learner code runs, one interface: `base`; the learner's own machine: `local`."""
