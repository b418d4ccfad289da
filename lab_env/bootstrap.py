"""Make the environment: `.venv` with everything of requirements.lock, compiled, and the course in place.

Run by `make setup` with the system's Python before anything is installed, so: standard library only, and
a syntax that an old Python can read far enough to be told that it is too old. Run again, it is done in a
moment.
"""

from __future__ import print_function

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
STAMP = os.path.join(VENV, ".ready")
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDS_MB = 3000
FIRST = ("setuptools", "uv")  # what the rest is installed with


def main():
    """Bring `.venv` in step with the lock, or say what is missing and exit with 2."""
    _refuse_what_cannot_work()
    wanted = _fingerprint()
    if _stamp() == wanted:
        return
    _refuse_a_full_disk()
    began = time.time()
    print("Setting up .venv: about 270 packages, 400 MB to download, 1.9 GB on disk. Two to five minutes.")
    sys.stdout.flush()
    python = _make_venv()
    _run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", _first_of_the_lock()])
    uv = [os.path.join(VENV, "bin", "uv"), "pip"]
    sync = ["sync", "--quiet", "--python", python, "--require-hashes", "--compile-bytecode"]
    # The one package without a wheel is built with the locked setuptools, so nothing unlocked is fetched.
    _run(uv + sync + ["--no-build-isolation", LOCK])
    in_place = ["install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "--editable", ROOT]
    _run(uv + in_place)
    with open(STAMP, "w") as file:
        file.write(wanted)
    print("Set up in %d s." % (time.time() - began))


def _refuse_what_cannot_work():
    if os.name == "nt":
        _stop("This course runs on Linux, macOS and WSL2, not on Windows itself.", "wsl --install")
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        _stop(
            "Python %d.%d is too %s: the course needs 3.11, 3.12 or 3.13."
            % (sys.version_info[0], sys.version_info[1], "old" if sys.version_info[:2] < OLDEST else "new"),
            "make start PYTHON=/path/to/python3.12",
        )
    if shutil.which("git") is None:
        hint = "xcode-select --install" if sys.platform == "darwin" else "sudo apt install git"
        _stop("Git is missing; every lab is a Git repository.", hint)


def _refuse_a_full_disk():
    free = shutil.disk_usage(ROOT).free // 1000000
    if free < NEEDS_MB:
        _stop(
            "Only %d MB are free in %s; the environment needs %d." % (free, ROOT, NEEDS_MB),
            "df -h %s    # then make room, and run make start again" % ROOT,
        )


def _fingerprint():
    total = hashlib.sha256(sys.version.encode())
    total.update(ROOT.encode())
    for name in ("requirements.lock", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            total.update(file.read())
    return total.hexdigest()


def _stamp():
    python = os.path.join(VENV, "bin", "python")
    if not os.path.exists(STAMP) or not os.path.exists(python):
        return ""
    with open(STAMP) as file:
        return file.read()


def _make_venv():
    python = os.path.join(VENV, "bin", "python")
    if os.path.exists(STAMP):
        os.remove(STAMP)
    if not os.path.exists(python) or _version_of(python) != list(sys.version_info[:2]):
        shutil.rmtree(VENV, ignore_errors=True)
        done = subprocess.run([sys.executable, "-m", "venv", VENV])
        if done.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            _stop(
                "This Python cannot make virtual environments (see above).",
                "sudo apt install python3-venv    # Debian, Ubuntu",
            )
    return python


def _version_of(python):
    code = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], stdout=subprocess.PIPE, universal_newlines=True)
    return [int(part) for part in done.stdout.split()]


def _first_of_the_lock():
    """A file with the lock's own lines, hashes and all, for the packages that install the rest."""
    with open(LOCK) as file:
        entries = re.split(r"\n(?=\S)", file.read())
    kept = [entry for entry in entries if re.match(r"(%s)==" % "|".join(FIRST), entry)]
    handle, name = tempfile.mkstemp(prefix="first-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(kept) + "\n")
    return name


def _run(command):
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # bytecode halves every later start
    if "PIP_INDEX_URL" in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    done = subprocess.run(command, env=environment)
    if done.returncode:
        _stop(
            "Installing failed (see above). Nothing outside .venv was touched.",
            "make setup    # tries again where it stopped; needs the network once",
        )


def _stop(problem, line):
    sys.stderr.write("%s\nTo mend it:\n    %s\n" % (problem, line))
    sys.exit(2)


if __name__ == "__main__":
    main()
