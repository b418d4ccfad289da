"""Make the environment: `.venv` with everything of requirements.lock, compiled, and the course in place.

Run by `make setup` with the system's Python before anything is installed, so: standard library only, and
a syntax that an old Python 3 can read far enough to be told that it is too old. Run again, it is done in a
moment.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".ready"
LOCK = ROOT / "requirements.lock"
WHEELHOUSE = ROOT / "wheelhouse"  # a copy made by `make bundle` has one: then no network is used
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDS_MB = 3500
FIRST = ("setuptools", "uv")  # what the rest is installed with


def main() -> None:
    """Bring `.venv` in step with the lock, or say what is missing and exit with 2."""
    refuse_what_cannot_work()
    wanted = fingerprint()
    if STAMP.is_file() and PYTHON.exists() and STAMP.read_text() == wanted:
        return
    refuse_a_full_disk()
    began = time.time()
    where = "from wheelhouse/" if WHEELHOUSE.is_dir() else "550 MB to download"
    print(f"Setting up .venv: about 310 packages, {where}, 2.5 GB on disk. Two to five minutes.")
    sys.stdout.flush()
    make_venv()
    install()
    STAMP.write_text(wanted)
    print(f"Set up in {time.time() - began:.0f} s.")


def refuse_what_cannot_work() -> None:
    """End with the line that mends it when the system, the Python or Git will not do."""
    if os.name == "nt":
        stop("This course runs on Linux, macOS and WSL2, not on Windows itself.", "wsl --install")
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        age = "old" if version < OLDEST else "new"
        problem = f"Python {version[0]}.{version[1]} is too {age}: the course needs 3.11, 3.12 or 3.13."
        stop(problem, "make start PYTHON=/path/to/python3.12")
    if shutil.which("git") is None:
        mend = "xcode-select --install" if sys.platform == "darwin" else "sudo apt install git"
        stop("Git is missing; every lab is a Git repository.", mend)


def refuse_a_full_disk() -> None:
    """End when the environment would not fit."""
    free = shutil.disk_usage(ROOT).free // 1000000
    if free < NEEDS_MB:
        problem = f"Only {free:,} MB are free in {ROOT}; the environment needs {NEEDS_MB:,}."
        stop(problem, f"df -h {ROOT}    # make room, then run make start again")


def fingerprint() -> str:
    """What `.venv` is made from: this Python, this folder, the lock and the project's description."""
    total = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for name in ("requirements.lock", "pyproject.toml"):
        total.update((ROOT / name).read_bytes())
    return total.hexdigest()


def make_venv() -> None:
    """A new `.venv` unless one of this Python's version is there."""
    if STAMP.exists():
        STAMP.unlink()
    if PYTHON.exists() and version_of(PYTHON) == list(sys.version_info[:2]):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        problem = "This Python cannot make virtual environments (see above)."
        stop(problem, "sudo apt install python3-venv    # Debian, Ubuntu")


def install() -> None:
    """Everything of the lock, hashes checked, bytecode compiled; then the course, in place."""
    first = VENV / "first.txt"
    first.write_text(first_of_the_lock())
    python = str(PYTHON)
    source = ["--no-index", "--find-links", str(WHEELHOUSE)] if WHEELHOUSE.is_dir() else []
    hashed = ["--quiet", "--require-hashes", "--no-deps", "-r", str(first)]
    run([python, "-m", "pip", "install", *source, *hashed])
    uv = [str(VENV / "bin" / "uv"), "pip"]
    # The one package without a wheel is built with the locked setuptools: nothing unlocked is fetched.
    locked = ["--require-hashes", "--no-build-isolation", "--compile-bytecode", str(LOCK)]
    run([*uv, "sync", "--quiet", "--python", python, *source, *locked])
    in_place = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run([*uv, "install", "--quiet", "--python", python, *in_place])


def first_of_the_lock() -> str:
    """The lock's own lines, hashes and all, for the packages that install the rest."""
    entries = re.split(r"\n(?=\S)", LOCK.read_text())
    return "\n".join(entry for entry in entries if entry.split("==")[0] in FIRST) + "\n"


def version_of(python: Path) -> list[int]:
    """Major and minor version of another Python; empty when it does not run."""
    words = [str(python), "-c", "import sys; print(*sys.version_info[:2])"]
    done = subprocess.run(words, stdout=subprocess.PIPE, universal_newlines=True, check=False)
    return [int(part) for part in done.stdout.split()]


def run(command: list[str]) -> None:
    """Run one step of the installation, or end with what to do."""
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # bytecode halves every later start
    if "PIP_INDEX_URL" in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    if subprocess.run(command, env=environment, check=False).returncode:
        problem = "Installing failed (see above). Nothing outside .venv was touched."
        stop(problem, "make setup    # tries again where it stopped; needs the network once")


def stop(problem: str, line: str) -> None:
    """Say what is wrong and the line that mends it, and exit with 2."""
    sys.stderr.write(f"{problem}\nTo mend it:\n    {line}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
