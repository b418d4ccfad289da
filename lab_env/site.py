"""The course's pages, built once and again when their sources change."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lab_env.errors import LabError
from lab_env.workspace import Home

SOURCES = ("docs", "labs", "lab_env/world", "grader")


def build(home: Home) -> Path:
    """Build the site into the home's notes unless it is there and in step; return its folder.

    Raises:
        LabError: MkDocs refused; says where its output is.
    """
    site, stamp = home.notes / "site", home.notes / "site.stamp"
    wanted = fingerprint(home.course)
    if site.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return site
    fresh, log = home.notes / "site.new", home.notes / "logs" / "mkdocs.log"
    shutil.rmtree(fresh, ignore_errors=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(fresh)],
            cwd=home.course,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise LabError(
            f"The site could not be built. What MkDocs says is in {log}. Mend that and run `lab up` again."
        )
    stamp.unlink(missing_ok=True)
    shutil.rmtree(site, ignore_errors=True)
    fresh.rename(site)
    stamp.write_text(wanted)
    return site


def fingerprint(course: Path) -> str:
    """Changes when a source of the site does: by name, size and time, without reading the files."""
    total = hashlib.sha256()
    for path in _sources(course):
        info = path.stat()
        total.update(f"{path.relative_to(course)} {info.st_size} {info.st_mtime_ns}\n".encode())
    return total.hexdigest()


def address(home: Home, link: str, served: str | None) -> str:
    """Where to read a page that a check names by its source, `modules/02-version-data.md#anchor`.

    With the site up it is an address, else the source under docs/.
    """
    page, _, anchor = link.partition("#")
    if served is None or not page.endswith(".md"):
        return str(home.to_read(f"docs/{link}"))
    folder = page.removesuffix("index.md") if page.endswith("index.md") else page[:-3] + ".html"
    return served.rstrip("/") + "/" + folder + (f"#{anchor}" if anchor else "")


def _sources(course: Path) -> Iterator[Path]:
    yield course / "mkdocs.yml"
    for name in SOURCES:
        for path in sorted((course / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
