"""The one error of a replay."""

from lab_env.errors import LabError


class ReplayError(LabError):
    """A replay cannot begin or go on; the text says what to mend and that the log is whole."""
