"""The learner's side of the tree of errors."""

from grader.errors import CourseError


class LabError(CourseError):
    """Something a learner did or can mend; the text names the thing, the place and the next step."""
