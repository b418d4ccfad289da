"""Commands of `grader` that end in the middle: each in a process of its own, forked from one that is warm."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NEVER = -1
# A child counts its renames (each makes one whole file appear) and kills itself before the one named `dies`;
# or the system ends it when a file that it writes grows beyond `cut` bytes, which is in the middle of it.
SCRIPT = """
import json, os, resource, signal, sys
import nbgrader.api, sqlalchemy  # what takes seconds
from grader import appeals, cli, feedback, formgrader, gradebook, leaving, takeout

def child(job):
    os.chdir(job["folder"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(job["log"] + name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    renames = 0
    def hook(event, args):
        nonlocal renames
        if event == "os.rename":
            renames += 1
            if renames == job["dies"]:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    if job["cut"]:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["cut"], job["cut"]))
    sys.argv = ["grader", *job["words"]]
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = ended.code or 0
    sys.stdout.flush()
    with open(job["log"] + "renames", "w") as file:
        file.write(str(renames))
    os._exit(code)

for line in sys.stdin:
    job = json.loads(line)
    if os.fork() == 0:
        child(job)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its code (minus a signal's number), what it printed, and how many renames."""

    code: int
    out: str
    err: str
    renames: int


class Mortal:
    """The warm process. `log` is a folder for what its children print."""

    def __init__(self, log: Path) -> None:
        log.mkdir()
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "2000"},
        )

    def type(self, folder: Path, words: Sequence[str], *, dies: int = NEVER, cut: int = 0) -> Ended:
        """Type a command in a folder; it dies before its `dies`th rename, or in a file longer than `cut`."""
        assert self.process.stdin
        assert self.process.stdout
        job = Job(str(folder), tuple(words), dies, cut, str(self.log / "last-"))
        for file in self.log.iterdir():
            file.unlink()
        self.process.stdin.write(json.dumps(asdict(job)) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        texts = {name: self.log / f"last-{name}" for name in ("out", "err", "renames")}
        said = {name: file.read_text() if file.exists() else "" for name, file in texts.items()}
        return Ended(code, said["out"], said["err"], int(said["renames"] or 0))

    def close(self) -> None:
        """End it."""
        self.process.communicate()


@dataclass(frozen=True)
class Job:
    """What a child does."""

    folder: str
    words: tuple[str, ...]
    dies: int
    cut: int
    log: str
