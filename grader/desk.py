"""nbgrader's formgrader on a class: on this machine only, behind a token that each start draws anew."""

import os
import sys
from collections.abc import Mapping

from grader.bookfile import called, is_there
from grader.classroom import Classroom
from grader.errors import CourseError

TOKENS = ("JUPYTER_TOKEN", "JUPYTER_TOKEN_FILE")
EXTENSIONS = {"nbgrader.server_extensions.formgrader": True, "jupyterlab": False, "nbgrader": False}


def command(classroom: Classroom, *, port: int, open_: bool) -> list[str]:
    """What starts formgrader on the class: for no other machine, without a terminal; no notebook is run.

    Raises:
        CourseError: there is no gradebook yet.
    """
    if not is_there(classroom):
        raise CourseError(f"{called(classroom)} is not there yet. Run `grader grade LAB` first.")
    words = [
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--ServerApp.root_dir={classroom.folder.resolve()}",
        "--ServerApp.default_url=/formgrader",
        "--ServerApp.terminals_enabled=False",
        "--ServerApp.answer_yes=True",
        f"--ServerApp.jpserver_extensions={EXTENSIONS}",
        f"--ServerApp.open_browser={open_}",
    ]
    words += ["--allow-root"] if os.geteuid() == 0 else []
    return [sys.executable, "-m", "jupyter_server", *words]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What formgrader is started with: no settings of somebody's own Jupyter, which may ask for no token.

    Nor those of the environment, which switch on whatever else of Jupyter's is installed there.
    """
    return {name: value for name, value in given.items() if name not in TOKENS} | {"JUPYTER_NO_CONFIG": "1"}
