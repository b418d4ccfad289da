"""A terminal of a given width for `lab`."""

import os
import pty
import subprocess
import sys
from pathlib import Path


def terminal(folder: Path, *words: str, columns: int = 60, **environment: str) -> str:
    """What `lab WORDS` prints on a terminal of that width."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "lab_env.cli", *words]
    settings = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **environment}
    with subprocess.Popen(command, cwd=folder, stdout=follower, stderr=follower, env=settings) as process:
        os.close(follower)
        printed = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not piece:
                break
            printed += piece
        process.wait()
    os.close(leader)
    return printed.decode().replace("\r\n", "\n")
