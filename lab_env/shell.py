"""`lab shell`: the environment in the lab's folder, on this machine or in the container of the labs."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab_env import container
from lab_env.errors import LabError
from lab_env.workspace import Home


def shell(home: Home, folder: Path, command: Sequence[str]) -> int:
    """Open a shell in `folder`, or run one command there; its exit code.

    Raises:
        EngineProblem: the container could not be had.
        LabError: there is no such program.
    """
    if container.is_chosen(home):
        return container.run(home, command or ["bash"], folder)
    words = list(command) or [os.environ.get("SHELL", "/bin/sh")]
    try:
        return subprocess.run(words, cwd=folder, env=environment(os.environ), check=False).returncode
    except FileNotFoundError as error:
        raise LabError(f"`{words[0]}` is not on PATH. `lab shell` alone opens a shell.") from error


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a shell in which the course's programs come first."""
    programs = str(Path(sys.executable).parent)
    return {**given, "PATH": f"{programs}{os.pathsep}{given.get('PATH', os.defpath)}"}
