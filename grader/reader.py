"""Our Git and DVC inside the sealed box: called by `evidence` through the agent, beside no learner code.

The box's work holds `given/` (the learner's objects, refs and HEAD), `tree/` (the other submitted files) and
this file. Nothing of the learner's Git or DVC configuration is there, and no hook or filter is run.
"""

import logging
import os
import subprocess
from pathlib import Path
from shutil import move, rmtree
from typing import Any

REPOSITORY, TREE, GIVEN = Path("repository"), Path("tree"), Path("given")
SEALED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "TZ": "UTC",
}
PLAIN = ("-c", "core.symlinks=false", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
PACK_CAP = 60 * 1024**2


def begin() -> str:
    """Make the repository from what was given; the reason when Git cannot."""
    code, _, said = git(["init", "--quiet", "--bare", str(REPOSITORY)], b"", False, False)
    if code:
        return str(said)
    for path in sorted(GIVEN.iterdir()):
        target = REPOSITORY / path.name
        if target.is_dir():
            rmtree(target)
        move(path, target)
    return ""


def git(words: list[str], stdin: bytes, bare: bool, work: bool) -> list[Any]:
    """Exit code, standard output and last line of standard error of one Git command."""
    place = [f"--git-dir={REPOSITORY.absolute()}"] if bare else []
    if work:
        place += [f"--work-tree={TREE.absolute()}", "-c", "core.bare=false"]
    done = subprocess.run(
        ["git", *PLAIN, *place, *words],
        cwd=TREE if work else ".",
        env=os.environ | SEALED,
        input=stdin,
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return [done.returncode, done.stdout, said[-1] if said else "no reason given"]


def clone(folder: str, commit: str) -> str:
    """A clean clone at a commit, detached; the reason when Git cannot."""
    for words in (
        ["clone", "--quiet", "--no-checkout", "--shared", str(REPOSITORY), folder],
        ["-C", folder, "checkout", "--quiet", "--detach", commit],
    ):
        code, _, said = git(words, b"", False, False)
        if code:
            return str(said)
    return ""


def pull(folder: str, store: str) -> str:
    """Pull what a clone's pointers name, from a folder below `tree`; the reason when DVC cannot."""
    from dvc.repo import Repo

    logging.disable()
    settings = Path(folder) / ".dvc"
    if not settings.is_dir():
        return "DVC was never initialised here: there is no .dvc folder."
    for name in ("cache", "tmp", "config", "config.local"):
        _remove(settings / name)
    remote = f"['remote \"submitted\"']\n    url = {(TREE / store).absolute()}\n    verify = true\n"
    (settings / "config").write_text(f"[core]\n    remote = submitted\n    analytics = false\n{remote}")
    try:
        with Repo(folder) as repo:
            repo.pull()
    except Exception as error:  # DVC has many
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        said = " ".join(line.strip() for line in lines[:4])
        return said.replace(f"{Path(folder).absolute()}/", "").replace(f"{TREE.absolute()}/", "")
    return ""


def outs(commit: str) -> list[list[Any]]:
    """Pointer, path, hash and size of all that `*.dvc` files and `dvc.lock` name in a commit."""
    found = []
    names = git(["ls-tree", "-r", "-z", "--name-only", commit], b"", True, False)[1]
    for name in names.decode(errors="replace").split("\0"):
        if name.endswith(".dvc") or Path(name).name == "dvc.lock":
            text = git(["cat-file", "blob", f"{commit}:{name}"], b"", True, False)[1]
            for out in _outs(text):
                place = (Path(name).parent / out["path"]).as_posix()
                size = out.get("size")
                found.append([name, place, str(out.get("md5", "")), size if type(size) is int else None])
    return found


def pack(folder: str) -> list[list[Any]] | None:
    """Path, executable bit and content of a clone's files, its own .git and DVC's caches left out.

    None when they are too large to cross.
    """
    found: list[list[Any]] = []
    total = 0
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = name.startswith((".git/", ".dvc/cache/", ".dvc/tmp/"))
        if path.is_file() and not path.is_symlink() and not hidden:
            total += path.stat().st_size
            if total > PACK_CAP:
                return None
            found.append([name, os.access(path, os.X_OK), path.read_bytes()])
    return found


def _outs(content: bytes) -> list[dict[str, Any]]:
    """The `outs` of a pointer or of a lock's stages; nothing of what is no such file."""
    import yaml

    try:
        tree = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    if not isinstance(tree, dict):
        return []
    stages = tree.get("stages")
    sources = [tree, *stages.values()] if isinstance(stages, dict) else [tree]
    lists = [source.get("outs") for source in sources if isinstance(source, dict)]
    listed = [out for outs in lists if isinstance(outs, list) for out in outs]
    return [out for out in listed if isinstance(out, dict) and isinstance(out.get("path"), str)]


def _remove(path: Path) -> None:
    if path.is_dir():
        rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
