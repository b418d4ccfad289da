"""Whether a container of the labs is well: the work can be written, every service that was started answers.

The image runs it every half minute: `python -m lab_env.health`. Exit code 1 says what is not well. With the
name of a service it asks that one alone, as the container has it that serves nothing else.
"""

import os
import sys
from pathlib import Path

from lab_env.plans import HEALTH, TITLES, USUAL_PORTS, published
from lab_env.processes import is_running
from lab_env.services import answers, noted
from lab_env.workspace import Home, find_home


def main() -> None:
    """Say what is not well, and exit with 1 if anything is."""
    found = silent(sys.argv[1]) if sys.argv[1:] else problems(find_home(Path.cwd()))
    print("\n".join(found) or "well")
    sys.exit(bool(found))


def silent(name: str) -> list[str]:
    """Whether a service does not answer on its port, as a line."""
    url = f"http://127.0.0.1:{(USUAL_PORTS | published(os.environ))[name]}{HEALTH[name]}"
    return [] if answers(url) else [f"{TITLES[name]} does not answer at {url}"]


def problems(home: Home) -> list[str]:
    """What is not well, a line each."""
    found = [] if os.access(home.folder, os.W_OK) else [f"{home.folder} cannot be written"]
    for service in noted(home):
        if service.process is None or not is_running(service.process):
            found.append(f"{service.title} has ended; its log is {service.log}")
        elif not answers(service.health):
            found.append(f"{service.title} does not answer at {service.health}")
    return found


if __name__ == "__main__":
    main()
