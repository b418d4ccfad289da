"""The one tree of errors whose text a person can act on."""


class CourseError(Exception):
    """Something a person did or can mend. The text names the thing, the place and the next step.

    Commands print it without a traceback and exit with 2.
    """


class ManifestError(CourseError):
    """A `lab.toml` that cannot be read as a lab."""


class ReleaseError(CourseError):
    """Starter files that cannot be cut, or are not what the master gives."""


class InvalidSubmission(CourseError):
    """Work that cannot be judged as it is: a link, too many files, too large."""


class BoxError(CourseError):
    """A box that could not be made or did not keep to its protocol: never the learner's fault."""


class ToolMissing(CourseError):
    """A program that a check needs is not on this machine."""
