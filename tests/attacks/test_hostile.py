"""ATTACKS D, hostile submissions as evidence reads them: Git, DVC, YAML, pickles, links and depth."""

import hashlib
import json
import os
import subprocess
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest

from tests.attacks.conftest import Run
from tests.attacks.ground import Ground
from tests.attacks.rows import ERROR, FAIL, INVALID, PASS, Row
from tests.grader.courses import commit, git, write_files

pytestmark = pytest.mark.slow

# Were any of these programs run, the box that reads would die of it, and the verdict be another one.
KILL = "kill -9 $PPID"
PROGRAM = f"#!/bin/sh\n{KILL}\n"
ALL_PASS = {"commits": PASS, "is_clean": PASS, "tracks": PASS, "pulls": PASS}


def plumb(work: Path, *words: str, given: str = "") -> str:
    """A Git command that reads its standard input."""
    done = subprocess.run(["git", *words], cwd=work, input=given, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def point(work: Path, text: str) -> None:
    """Commit a DVC pointer of that text."""
    write_files(work, {"evil.dvc": text})
    commit(work, "a pointer")


def put(work: Path, content: bytes, ending: str = "") -> str:
    """Put content into the store under its hash, as a push would."""
    name = hashlib.md5(content).hexdigest() + ending
    target = work / "store" / "files" / "md5" / name[:2] / name[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return name


def hooks(work: Path) -> None:
    write_files(
        work, {"evil": f"[core]\n\tfsmonitor = {KILL}\n", ".gitattributes": "* filter=evil diff=evil\n"}
    )
    commit(work, "attributes")
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "fsmonitor"):
        path = work / ".git" / "hooks" / name
        path.write_text(PROGRAM)
        path.chmod(0o755)
    settings = (work / ".git" / "config").read_text()
    (work / ".git" / "config").write_text(
        f"{settings}\thooksPath = .git/hooks\n\tfsmonitor = {KILL}\n\tsshCommand = {KILL}\n\tpager = {KILL}\n"
        f'[filter "evil"]\n\tclean = {KILL}\n\tsmudge = {KILL}\n\tprocess = {KILL}\n\trequired = true\n'
        f'[diff "evil"]\n\ttextconv = {KILL}\n\tcommand = {KILL}\n[alias]\n\tls-tree = !{KILL}\n'
        f'[include]\n\tpath = ../evil\n[uploadpack]\n\tpackObjectsHook = {KILL}\n[gpg]\n\tprogram = {KILL}\n'
    )  # fmt: skip
    write_files(work, {".git/info/attributes": "* filter=evil\n"})


def alternates(ground: Ground) -> Callable[[Path], None]:
    """Objects that lie elsewhere on the host, in the class folder."""

    def make(work: Path) -> None:
        elsewhere = ground.class_folder / f"objects-{uuid4().hex}"
        (work / ".git" / "objects").rename(elsewhere)
        write_files(work, {".git/objects/info/alternates": f"{elsewhere}\n"})
        write_files(work, {".git/objects/info/http-alternates": f"file://{elsewhere}\n"})

    return make


def git_file(work: Path) -> None:
    (work / ".git").rename(work / "elsewhere")
    (work / ".git").write_text("gitdir: elsewhere\n")


def submodule(work: Path) -> None:
    text = f'[submodule "evil"]\n\tpath = sub\n\turl = ext::sh -c "{KILL}"\n\tupdate = !{KILL}\n'
    write_files(work, {".gitmodules": text, ".git/modules/evil/config": f"[core]\n\tfsmonitor = {KILL}\n"})
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{git(work, 'rev-parse', 'HEAD')},sub")
    git(work, "add", ".gitmodules")
    git(work, "commit", "--quiet", "--message", "a submodule")


def replaced(work: Path) -> None:
    (work / "eta.py").write_text("minutes = None\n")
    commit(work, "wrong")
    honest = git(work, "rev-parse", "HEAD~:eta.py")
    git(work, "update-ref", f"refs/replace/{git(work, 'rev-parse', 'HEAD:eta.py')}", honest)
    write_files(work, {".git/info/grafts": f"{git(work, 'rev-parse', 'HEAD')}\n"})


def forged_object(work: Path) -> None:
    (work / "eta.py").write_text("minutes = None\n")
    commit(work, "wrong")
    sha = git(work, "rev-parse", "HEAD:eta.py")
    loose = work / ".git" / "objects" / sha[:2] / sha[2:]
    loose.chmod(0o644)
    text = b"def minutes(km): return 10 + 4 * km\n"
    loose.write_bytes(zlib.compress(b"blob %d\0" % len(text) + text))


def missing_object(work: Path) -> None:
    sha = git(work, "rev-parse", "HEAD:eta.py")
    (work / ".git" / "objects" / sha[:2] / sha[2:]).unlink()


def many_trees(work: Path) -> None:
    """Over 16 million files with long paths, from a few objects."""
    blob = plumb(work, "hash-object", "-w", "--stdin", given="x")
    tree = plumb(work, "mktree", given=f"100644 blob {blob}\tx\n")
    for _ in range(8):
        rows = [f"040000 tree {tree}\t{'d' * 200}{at}\n" for at in range(8)]
        tree = plumb(work, "mktree", given="".join(rows))
    made = git(work, "commit-tree", "-m", "many", tree)
    git(work, "update-ref", "refs/heads/main", made)


def large_blob(work: Path) -> None:
    (work / "eta.py").write_bytes(bytes(100 * 1024**2))
    commit(work, "100 MB of zeros")
    (work / "eta.py").write_text("x\n")


def dvc_config(work: Path) -> None:
    text = f"""
        [core]
            remote = store
            autostage = true
            site_cache_dir = ../evil
        ['remote "store"']
            url = http://127.0.0.1:9/store
            auth = custom
            ask_password = true
            ssl_verify = {KILL}
        ['remote "ssh"']
            url = ssh://-oProxyCommand={KILL}/x
        [cache]
            dir = /etc
            type = symlink
        [state]
            dir = ../evil
    """
    write_files(work, {".dvc/config": text, ".dvc/config.local": text, "evil/cache.db": "no database"})


def led_out(work: Path) -> None:
    places = ("../../reader.py", "../../x.py", "../../repository/config", "../.git/config")
    entries = [{"md5": put(work, PROGRAM.encode()), "relpath": place} for place in places]
    name = put(work, json.dumps(entries).encode(), ".dir")
    point(work, f"outs:\n- path: folder\n  hash: md5\n  md5: {name}\n")


def from_url(work: Path) -> None:
    point(work, imported("- path: http://127.0.0.1:9/x\n  etag: abcdef\n"))


def from_repository(work: Path) -> None:
    url, lock = f"ext::sh -c '{KILL}'", "0" * 40
    where = f"    url: \"{url}\"\n    rev_lock: '{lock}'\n    config:\n      state:\n        dir: /tmp\n"
    point(work, imported(f"- path: x\n  repo:\n{where}"))


def imported(source: str) -> str:
    """A pointer that says where it was imported from."""
    return f"frozen: true\ndeps:\n{source}outs:\n- path: fetched\n  hash: md5\n  md5: {'ab' * 16}\n"


def pipeline(work: Path) -> None:
    stage = f"vars: [params.py]\nstages:\n  evil:\n    cmd: {KILL}\n    outs: [made]\n"
    write_files(work, {"dvc.yaml": stage, "params.py": f"import os\nos.system('{KILL}')\n"})
    commit(work, "a stage")


def yaml_bomb() -> str:
    letters = "abcdefghij"
    lines = ["meta:", "  a: &a [x, x, x, x, x, x, x, x, x]"]
    for old, new in pairwise(letters):
        lines.append(f"  {new}: &{new} [{', '.join([f'*{old}'] * 9)}]")
    return "\n".join([*lines, "outs:", "- path: y", "  md5: *j", ""])


PICKLE = f"cos\nsystem\n(S'{KILL}'\ntR."


def pickles(work: Path) -> None:
    for name in (
        "model.pkl",
        "model.joblib",
        "model/MLmodel",
        "model/python_model.pkl",
        "data/orders.parquet",
    ):
        write_files(work, {name: PICKLE})
    commit(work, "models")


LOADS = """
import os, pickle

class Model:
    def __reduce__(self): return os._exit, (0,)

if os.getpid() < 50:  # never outside a box
    pickle.loads(pickle.dumps(Model()))
"""
TOOLS = {
    **dict.fromkeys(
        ("pip.conf", ".config/pip/pip.conf", ".pip/pip.conf"), "[global]\nindex-url = http://127.0.0.1:9\n"
    ),
    "requirements.txt": "--index-url http://127.0.0.1:9\nevil @ http://127.0.0.1:9/evil.tar.gz\n",
    "setup.py": f"import os\nos.system('{KILL}')\n",
    "Dockerfile": f"FROM scratch\nRUN {KILL}\n",
    "docker-compose.yml": "services:\n  evil:\n    privileged: true\n    volumes: ['/:/host']\n",
    ".docker/config.json": '{"credsStore": "evil"}\n',
    "docker-credential-evil": PROGRAM,
    "Makefile": f"all:\n\t{KILL}\n",
    ".pre-commit-config.yaml": f"repos: [{{repo: local, hooks: [{{id: e, entry: {KILL}}}]}}]\n",
    ".vscode/tasks.json": '{"tasks": [{"command": "evil", "runOptions": {"runOn": "folderOpen"}}]}\n',
}


def tools(work: Path) -> None:
    write_files(work, TOOLS)
    commit(work, "settings of tools")


def deep(work: Path) -> None:
    (work / "/".join(["d"] * 400)).mkdir(parents=True)
    write_files(work, {"/".join(["d"] * 400 + ["bottom"]): "x"})


def escapes(work: Path) -> None:
    (work / "\x1b[31mred\x07\u202e.md").write_text("x")
    (work / "eta.py").write_text(
        "def minutes(km): raise ValueError('\\x1b]0;title\\x07\\x00\\x9b31m\\x85\\ud800')\n"
    )


ROWS = [
    Row("git hooks, filters, core.fsmonitor, aliases and includes", ALL_PASS, make=hooks),
    Row("a .git that is a file", {"commits": FAIL, "is_clean": FAIL, "tracks": FAIL}, make=git_file),
    Row(
        "submodules whose update is a command",
        {"commits": FAIL, "tracks": FAIL, "pulls": FAIL},
        make=submodule,
    ),
    Row("replaced objects and grafts", {"commits": FAIL}, make=replaced),
    Row("an object under another's name", {"commits": FAIL, "is_clean": FAIL}, make=forged_object),
    Row("a missing object", {"commits": FAIL}, make=missing_object),
    Row("trees that multiply", {"commits": FAIL}, make=many_trees),
    Row("100 MB in one object", {"commits": FAIL, "reads": PASS}, make=large_blob),
    Row("a DVC config that runs code or fetches a URL", {"tracks": PASS, "pulls": FAIL}, make=dvc_config),
    Row(
        "a list of files that leads out of the clone",
        {"pulls": FAIL, "commits": PASS, "tracks": FAIL},
        make=led_out,
    ),
    Row(
        "an import from a URL",
        {"pulls": FAIL, "commits": PASS},
        make=from_url,
    ),
    Row(
        "an import from a repository whose URL is a command",
        {"pulls": FAIL, "commits": PASS},
        make=from_repository,
    ),
    Row("a pipeline whose stages run code", {"tracks": PASS, "commits": PASS, "pulls": PASS}, make=pipeline),
    Row(
        "YAML bombs",
        {"pulls": FAIL, "tracks": FAIL, "commits": PASS},
        make=lambda work: point(work, yaml_bomb()),
    ),
    Row(
        "YAML with tags",
        {"pulls": FAIL, "tracks": PASS, "commits": PASS},
        make=lambda work: point(work, f"!!python/object/apply:os.system ['{KILL}']\n"),
    ),
    Row("a malicious pickle, joblib or MLflow model", {**ALL_PASS, "calls": PASS}, make=pickles),
    Row("a malicious model that the work itself loads", {"calls": ERROR, "reads": PASS}, {"eta.py": LOADS}),
    Row("pip, Docker and editor settings that run code", {**ALL_PASS, "calls": PASS}, make=tools),
    Row("400 folders in each other", {"calls": INVALID, "reads": INVALID}, make=deep),
    Row(
        "a link to /proc, and one to the host",
        {"calls": INVALID, "reads": INVALID},
        make=lambda work: (work / "link").symlink_to("/proc/self/environ"),
    ),
    Row("a named pipe", {"calls": INVALID}, make=lambda work: os.mkfifo(work / "pipe")),
    Row(
        "terminal escapes, NUL, bidi overrides and lone surrogates",
        {"is_clean": FAIL, "calls": ERROR},
        make=escapes,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_nothing_that_is_read_is_run(run: Run, row: Row) -> None:
    run(row)


def test_objects_are_lent_by_nobody(run: Run, ground: Ground) -> None:
    run(Row("alternates", {"commits": FAIL, "is_clean": FAIL}, make=alternates(ground)))
