"""nbgrader's formgrader on a class: on this machine only, behind a token that each start draws anew."""

import os
import sys

from grader.bookfile import FILE
from grader.classroom import Classroom
from grader.errors import CourseError

EXTENSIONS = {"nbgrader.server_extensions.formgrader": True, "jupyterlab": False, "nbgrader": False}


def command(classroom: Classroom, *, port: int, open_: bool) -> list[str]:
    """What starts formgrader in the class's folder: no other machine, no terminal, no notebook is run.

    Raises:
        CourseError: there is no gradebook yet.
    """
    if not (classroom.folder / FILE).is_file():
        raise CourseError(f"{classroom.folder / FILE} is not there yet. Run `grader grade LAB` first.")
    words = [
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.default_url=/formgrader",
        "--ServerApp.terminals_enabled=False",
        "--ServerApp.answer_yes=True",
        f"--ServerApp.jpserver_extensions={EXTENSIONS}",
        f"--ServerApp.open_browser={open_}",
    ]
    words += ["--allow-root"] if os.geteuid() == 0 else []
    return [sys.executable, "-m", "jupyter_server", *words]
