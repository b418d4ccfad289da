"""The class that a command is typed in, and nobody leaves it meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import typer

from grader.classroom import Classroom, find_class
from grader.errors import CourseError
from grader.locks import WHOLE, Held, hold, note


def at_work(context: typer.Context) -> Classroom:
    """The class of the folder that the command is typed in, held until it ends."""
    classroom: Classroom = context.with_resource(in_class(Path.cwd()))
    return classroom


@contextmanager
def in_class(start: Path) -> Iterator[Classroom]:
    """The class, from when nobody can be deleted any more until this ends. Others may work there as well.

    Without it a page about somebody, begun before and written after, would outlive their deletion.

    Raises:
        CourseError: there is no class, a learner is being deleted or the class backed up, or it cannot be
            written.
    """
    folder = find_class(start).folder
    with ExitStack() as held:
        try:
            lock = held.enter_context(hold(folder / WHOLE, shared=True))
        except Held as busy:
            raise CourseError(
                f"{folder} is held by process {busy.pid or 'unknown'}, which backs it up or deletes or hands "
                "out a learner. Wait until it ends, then run the same command again."
            ) from busy
        except OSError as error:
            raise CourseError(
                f"{folder / WHOLE} cannot be written ({error.strerror}). Nothing was done. Mend that, then "
                "run the same command again."
            ) from error
        with suppress(OSError):  # a full disk, and whose lock it is matters to nobody yet
            note(lock)
        yield find_class(folder)  # as whoever had it before has left it
