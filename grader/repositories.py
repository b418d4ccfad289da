"""The repositories of a class, one for each learner, as what arrived."""

from functools import partial
from pathlib import Path

from grader.arrivals import Arrival
from grader.classroom import Classroom, columns
from grader.clones import Address, clone
from grader.errors import CourseError
from grader.manifest import Lab
from grader.unpack import Caps


def repositories(classroom: Classroom, lab: Lab, address: Address, learner: str, caps: Caps) -> list[Arrival]:
    """What is to be cloned for a lab: for `learner`, or where none is named for everybody on the roster.

    Raises:
        CourseError: the address is that of one repository and nobody is named, or names an unknown column.
    """
    known = columns(classroom)
    if not address.fields and not learner:
        raise CourseError(
            f"{address.text} is one repository. Say whose with `--as ID`, or write `{{id}}` in it."
        )
    if unknown := sorted(set(address.fields) - {name for row in known.values() for name in row}):
        raise CourseError(f"roster.csv has no column `{unknown[0]}`. Add it, or write `{{id}}`.")

    def fetch(one: str, here: Path) -> Path:
        return clone(address.of(known[one]), here / "clone", lab.id, caps)

    wanted = [learner] if learner else list(classroom.roster)
    return [Arrival(one, partial(fetch, one)) for one in wanted]
