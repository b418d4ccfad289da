"""Checks of lab 02: what Git holds, and what DVC brings into a clean clone."""

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.checks import Blob, Evidence, Expect, Out

PAGE = "modules/02-version-data.md"
LARGE = 1_000_000  # bytes


def test_zones_are_tracked(evidence: Evidence, expect: Expect) -> None:
    expect.that(
        "data/zones.csv" in evidence.dvc.outs(),
        looked_at="the pointers (`*.dvc`) in your last commit",
        found="none for data/zones.csv",
        expected="data/zones.csv.dvc, as Mara left it",
        why="Cutting the whole folder `data/` out of history took the pointer and data/.gitignore along. "
        "A pointer is a hundred bytes of text and belongs in Git; only the bytes that it points to do "
        "not. Run `dvc add data/zones.csv`, commit what it wrote, and next time cut files, not folders.",
        link=f"{PAGE}#clean-a-history",
        misconception="pointer-cut-away",
    )


def test_history_is_light(evidence: Evidence, expect: Expect) -> None:
    large = sorted((b for b in evidence.git.blobs() if b.size > LARGE), key=lambda b: -b.size)
    misconception, why = _why_heavy(large, evidence)
    expect.that(
        not large,
        looked_at="every file content that a branch, a tag or HEAD can reach",
        found="; ".join(f"{b.path} ({b.size / LARGE:.1f} MB, {b.sha[:7]})" for b in large),
        expected="nothing over 1 MB",
        why=why,
        link=f"{PAGE}#history-keeps-everything",
        misconception=misconception,
    )


def _why_heavy(large: Sequence[Blob], evidence: Evidence) -> tuple[str, str]:
    paths = {blob.path for blob in large}
    if any("files/md5/" in path for path in paths):
        return "cache-in-git", (
            "These are DVC's own objects, from its cache or its store: the data again, under the name of "
            "its hash. Git now carries every version to every clone. Ignore the folder, then take it out "
            "of history as you did with the orders."
        )
    if paths & set(evidence.git.files()):
        return "data-in-git", (
            "Your last commit holds the data itself. Git keeps each version whole, for good, in every "
            "clone. Take the file out of Git (`git rm --cached` leaves your copy where it is), then out "
            "of history."
        )
    return "deleted-is-not-gone", (
        "A commit that deletes a file leaves the older commits as they are, and a clone carries them all. "
        "Rewrite history without these paths, and mind the other branches and tags: one that still "
        "reaches an old commit keeps everything in it."
    )


def test_orders_are_tracked(evidence: Evidence, expect: Expect) -> None:
    path, out = _orders(evidence)
    looked_at = "your last commit"
    waiting = any(name.endswith("orders.parquet.dvc") for name in evidence.files())
    expect.that(
        out is not None,
        looked_at=looked_at,
        found="a pointer that is not committed, or that cannot be read"
        if waiting
        else "no pointer for orders.parquet",
        expected="orders.parquet.dvc, made by `dvc add`",
        why="Who clones this repository gets what is committed. Without the pointer nobody can know which "
        "orders belong to this commit.",
        link=f"{PAGE}#what-a-pointer-is",
    )
    expect.that(
        path not in evidence.git.files(),
        looked_at=looked_at,
        found=f"both the pointer and {path} itself",
        expected="the pointer alone",
        why="Data in Git *and* in DVC are two truths that drift apart at the next change, and Git still "
        f"carries the bytes. Run `git rm --cached {path}` and commit.",
        link=f"{PAGE}#what-a-pointer-is",
        misconception="data-in-git",
    )
    expect.that(
        evidence.git.ignored(path),
        looked_at=f"the .gitignore files, for {path}",
        found="not ignored",
        expected="ignored, as `dvc add` wrote it",
        why="The next `git add .` would put the data back into Git. Commit the .gitignore that "
        "`dvc add` wrote beside the data.",
        link=f"{PAGE}#what-a-pointer-is",
    )


def test_remote_travels(evidence: Evidence, expect: Expect) -> None:
    dvc, files = evidence.dvc, evidence.files()
    url = dvc.remotes.get(dvc.default or "", "")
    facts = {"looked_at": "the default remote in .dvc/config", "link": f"{PAGE}#share-every-version"}
    expect.that(
        bool(url) or ".dvc/config.local" not in files,
        found=".dvc/config.local, and no default remote in .dvc/config",
        expected="a folder of this workspace, by a relative path",
        why="`--local` writes to a file that Git ignores: your machine knows the store, no clone does.",
        misconception="remote-only-here",
        **facts,
    )
    expect.that(
        bool(url),
        found=f"{', '.join(dvc.remotes)}, but none is the default" if dvc.remotes else "none",
        expected="a folder of this workspace, by a relative path",
        why="A clone has to know where the bytes are. Run `dvc remote add --default store store` in the "
        "workspace's root (with `--force` when that remote is there already) and commit .dvc/config.",
        **facts,
    )
    inside = _inside(url)
    absolute = any(f"/{name}".startswith(f"{_tail(url, files)}/files/md5") for name in files)
    expect.that(
        inside,
        found=url,
        expected="a folder of this workspace, by a relative path such as ../store",
        why="The store is in the workspace, but its address begins at your machine's root. On every other "
        "machine, and in CI, that path is somebody else's or nobody's."
        if absolute
        else "The store lies outside of what you hand in. Who gets your work gets pointers to bytes that "
        "stayed on your machine. Keep the store in the workspace, as this course has no server.",
        misconception="absolute-path" if absolute else "remote-outside",
        **facts,
    )
    expect.that(
        ".dvc/config" not in evidence.git.changed(),
        found=f"{url}, not committed yet",
        expected=f"{url}, committed",
        why="A clone gets the .dvc/config of the commit. Run `git add .dvc/config` and commit.",
        **facts,
    )


def _inside(url: str) -> bool:
    """Whether an address, as .dvc/config has it (relative to .dvc), stays in the workspace."""
    if "://" in url or PurePosixPath(url).is_absolute():
        return False
    depth = 1
    for part in PurePosixPath(url).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return False
    return True


def _tail(url: str, files: dict[str, int]) -> str:
    """The longest end of an address that is a folder of the workspace, with a leading slash."""
    parts = PurePosixPath(url).parts[1:]
    tails = ["/" + "/".join(parts[at:]) for at in range(len(parts))]
    return next((t for t in tails if any(f"/{name}".startswith(f"{t}/") for name in files)), "\0")


def test_clean_clone_gets_the_orders(evidence: Evidence, expect: Expect) -> None:
    path, out = _orders(evidence)
    expect.that(
        out is not None and _md5(evidence.dvc.pull().read(path)) == out.md5,
        looked_at="a clean clone of your last commit with an empty cache, after `dvc pull`",
        found="a pointer to {}, and a store without it".format(out.md5[:7] if out else "nothing"),
        expected=f"{path} with the hash in its pointer",
        why="A commit carries the pointer; the bytes travel by `dvc push`. Until they are in the store, "
        "they exist on your machine alone. Run `dvc push`.",
        link=f"{PAGE}#share-every-version",
        misconception="not-pushed",
    )


def test_main_is_back(evidence: Evidence, expect: Expect) -> None:
    path, out = _orders(evidence)
    link = f"{PAGE}#go-back"
    expect.that(
        evidence.git.branch is not None,
        looked_at="HEAD",
        found=f"detached, at commit {(evidence.git.head or '')[:7]}",
        expected="on a branch",
        why="You are still in the past. What you commit here is on no branch, and Git forgets it. "
        "Run `git switch main`, then `dvc checkout`, so that code and data are of one time again.",
        link=link,
        misconception="left-in-the-past",
    )
    open_changes = [name for name in evidence.git.changed() if not name.startswith(".dvc/cache/")]
    expect.that(
        not open_changes,
        looked_at="tracked files that differ from your last commit",
        found=", ".join(open_changes),
        expected="none",
        why="Nobody else has these changes, and a number measured now belongs to no commit. Commit them.",
        link=link,
    )
    expect.that(
        out is not None and _md5(evidence.read(path)) == out.md5,
        looked_at=f"{path} in the workspace, beside its pointer in your last commit",
        found="another file than the pointer names",
        expected="the same file",
        why="Git moved the pointer, and the data stayed where it was, or the other way round. After going "
        "to another version run `dvc checkout`; after changing data run `dvc add` and commit.",
        link=link,
        misconception="stale-pointer",
    )


def _orders(evidence: Evidence, ref: str = "HEAD") -> tuple[str, Out | None]:
    """Where the orders are in a version, and their pointer; None when DVC does not track them."""
    for path, out in evidence.dvc.outs(ref).items():
        if PurePosixPath(path).name == "orders.parquet":
            return path, out
    return "data/orders.parquet", None


def _md5(content: bytes | None) -> str | None:
    return None if content is None else hashlib.md5(content, usedforsecurity=False).hexdigest()
