"""Our Git, DVC and SQLite in the sealed box: called by `evidence` through the agent, beside no learner code.

The box's work holds `given/` (the learner's objects, refs and HEAD), `tree/` (the other submitted files) and
this file. Nothing of the learner's Git or DVC configuration is there, and no hook or filter is run.
DVC would write wherever a list of files says: such lists are read first, and nothing here is ever imported.
"""

import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from shutil import move, rmtree
from tempfile import TemporaryFile
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
FORGED = 1 | 4  # of fsck's code: an object, loose or packed, whose content has another name than its own
HASH = re.compile(r"[0-9a-f]{32}")
OURS = {"", ".", "..", ".git", ".dvc"}
STORE = {  # of an MLflow database: what is read of which table
    "experiments": ("experiments", "experiment_id name lifecycle_stage"),
    "runs": ("runs", "run_uuid name experiment_id status start_time lifecycle_stage artifact_uri"),
    "params": ("params", "run_uuid key value"),
    "metrics": ("latest_metrics", "run_uuid key value is_nan"),
    "tags": ("tags", "run_uuid key value"),
    "models": (
        "logged_models",
        "model_id name source_run_id artifact_location lifecycle_stage creation_timestamp_ms",
    ),
}
OTHER_MLFLOW = (
    "Another version of MLflow wrote it: use the one of this course, or `lab reset` and begin anew."
)
MOST_ROWS, LONGEST_TEXT = 5_000, 2_000

sys.path[:] = [place for place in sys.path if Path(place) != Path(__file__).parent]


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
    code, _, said = git(["fsck", "--no-dangling", "--no-reflogs", "--no-progress"], b"", True, False)
    return str(said) if code & FORGED else ""


def git(words: list[str], stdin: bytes, bare: bool, work: bool) -> list[Any]:
    """Exit code, standard output and last line of standard error of one Git command."""
    place = [f"--git-dir={REPOSITORY.absolute()}"] if bare else []
    if work:
        place += [f"--work-tree={TREE.absolute()}", "-c", "core.bare=false"]
    command, folder, settings = ["git", *PLAIN, *place, *words], TREE if work else ".", os.environ | SEALED
    with TemporaryFile() as given, TemporaryFile() as errors:
        given.write(stdin)
        given.seek(0)
        with subprocess.Popen(
            command, cwd=folder, env=settings, stdin=given, stdout=subprocess.PIPE, stderr=errors
        ) as process:
            out = process.stdout.read(PACK_CAP + 1) if process.stdout else b""
            if len(out) > PACK_CAP:
                process.kill()
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
    if len(out) > PACK_CAP:
        return [1, b"", f"`git {words[0]}` has over {PACK_CAP // 1024**2} MB to say"]
    return [process.returncode, out, said[-1] if said else "no reason given"]


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
            _refuse_pointers(repo, Path(folder).absolute())
            repo.fetch()
            _refuse_lists(settings / "cache")
            repo.checkout()
    except Exception as error:  # DVC has many
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        said = " ".join(line.strip() for line in lines[:4])
        for place in (Path(folder).absolute(), TREE.absolute(), folder):
            said = said.replace(f"{place}/", "")
        return said
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
                size, md5 = out.get("size"), out.get("md5")
                found.append(
                    [name, place, md5 if isinstance(md5, str) else "", size if type(size) is int else None]
                )
    return found


def mlflow(path: str) -> list[Any]:
    """What is wrong with an MLflow store, or "", and its tables as rows, by the names of STORE."""
    database = sqlite3.connect(f"file:{(TREE / path).absolute()}", uri=True)
    try:
        for setting in ("trusted_schema = OFF", "mmap_size = 0", "cell_size_check = ON"):
            database.execute(f"PRAGMA {setting}")
        database.text_factory = lambda content: content[:LONGEST_TEXT].decode(errors="replace")
        kinds = dict(database.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"))
        if not kinds:
            return ["it is empty. MLflow fills it when the first run is logged.", {}]
        return ["", {name: _rows(database, kinds, *words) for name, words in STORE.items()}]
    except (sqlite3.Error, ValueError) as error:
        return [str(error), {}]
    finally:
        database.close()


def _rows(database: Any, kinds: dict[str, str], table: str, columns: str) -> list[list[Any]]:
    if kinds.get(table) != "table":
        raise ValueError(f"it has no table `{table}`. {OTHER_MLFLOW}")
    missing = set(columns.split()) - {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
    if missing:
        raise ValueError(f"its table `{table}` has no `{sorted(missing)[0]}`. {OTHER_MLFLOW}")
    listed = ", ".join(columns.split())
    rows = database.execute(f"SELECT {listed} FROM {table} LIMIT {MOST_ROWS + 1}").fetchall()  # noqa: S608
    if len(rows) > MOST_ROWS:
        raise ValueError(f"its table `{table}` has over {MOST_ROWS:,} rows.")
    return [[None if isinstance(value, bytes) else value for value in row] for row in rows]


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


def _refuse_pointers(repo: Any, root: Path) -> None:
    """Raise for a pointer of a clone that reaches out of it."""
    for stage in repo.index.stages:
        if stage.is_import:  # it may bring a configuration of its own
            raise ValueError(f"{stage.relpath} imports from elsewhere. Only the submitted remote is read.")
    for out in repo.index.outs:
        md5 = (out.hash_info.value if out.hash_info else None) or "0" * 32
        if _leads_out(os.path.relpath(out.fs_path, root)) or not HASH.fullmatch(md5.removesuffix(".dir")):
            raise ValueError(f"{out.stage.relpath} points to what is no file of the work: {out.def_path}")
        _refuse_entries(out.stage.relpath, out.files or [])


def _refuse_lists(cache: Path) -> None:
    """Raise for a fetched list of files that reaches out of its folder."""
    for path in sorted(cache.rglob("*.dir")):
        _refuse_entries("A list of files in the remote", json.loads(path.read_bytes()))


def _refuse_entries(where: str, entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        if _leads_out(str(entry["relpath"])) or not HASH.fullmatch(str(entry.get("md5"))):
            raise ValueError(f"{where} names what is no file of its folder: {entry['relpath']}")


def _leads_out(name: str) -> bool:
    return not OURS.isdisjoint(name.split("/"))


def _remove(path: Path) -> None:
    if path.is_dir():
        rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
