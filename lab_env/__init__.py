"""The learner's side: Tiffin's world, the services, the doctor and the `lab` command."""
