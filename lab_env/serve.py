"""One service beside a lab in the foreground, as a container of its own has it.

    python -m lab_env.serve mlflow

It listens on the port that LAB_PORTS gives it; the token of JupyterLab is LAB_TOKEN.
"""

import os
import sys
from pathlib import Path

from lab_env.errors import LabError
from lab_env.plans import TITLES, USUAL_PORTS, environment, plan, published
from lab_env.workspace import find_home


def main() -> None:
    """Become the service."""
    [name] = sys.argv[1:] if sys.argv[1:2] and sys.argv[1] in TITLES else [""]
    if not name:
        sys.exit(f"usage: python -m lab_env.serve {'|'.join(TITLES)}")
    port = (USUAL_PORTS | published(os.environ))[name]
    try:
        wanted = plan(find_home(Path.cwd()), name, port, token=os.environ.get("LAB_TOKEN", ""))
    except LabError as error:
        sys.exit(str(error))
    os.chdir(wanted.folder)
    os.execvpe(wanted.command[0], wanted.command, environment(wanted))  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main()
