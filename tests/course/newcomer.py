"""Does a lab by the letter of its page, as somebody who has only the page.

    python newcomer.py COURSE LAB HOME

COURSE is a published copy, HOME an empty folder. Run apart, so that the network can be cut around it.
"""

import os
import socket
import sys
from pathlib import Path

from docs.generate.labs import lab_page
from grader.manifest import find_lab
from tests.course.typist import typed
from tests.docs.replay import replay


def main(course: Path, name: str, home: Path) -> None:
    """Replay the page of the lab from the course's root; prints how many commands ran."""
    if list(socket.if_nameindex()) != [(1, "lo")]:
        sys.exit("The network is not cut: there is more than a loopback.")
    lab = find_lab(course, name)
    page = home / "page.md"
    notebooks = [path.name for path in (lab.folder / "work").glob("*.ipynb")]
    text = lab_page(lab)
    page.write_text(typed(text, notebooks[0]) if notebooks else text)
    print(replay(page, cwd=course, env=dict(os.environ) | {"HOME": str(home)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
