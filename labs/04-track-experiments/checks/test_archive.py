"""Checks of lab 04 on what was there before: Mara's runs, the one that is lost, the secret."""

import hashlib
import tomllib
from typing import Any

from grader.checks import Evidence, Expect

PAGE = "modules/04-track-experiments.md"
ARCHIVE = {
    "baseline": {"leaves": "8", "rate": "0.1", "seed": "1"},
    "more-trees": {"leaves": "8", "rate": "0.1", "seed": "1"},
    "friday-evening": {"leaves": "8", "rate": "0.1", "seed": "7"},
}
ORIGIN = ("git_commit", "data_md5", "lock_sha256")
TOKEN = "tfn_live_" + hashlib.sha256(b"weather feed").hexdigest()[:24]
MOST = 200  # files of a commit that are looked at


def test_archive_is_kept(evidence: Evidence, expect: Expect) -> None:
    found = {run.name: run for run in evidence.mlflow.runs("archive")}
    sound = [
        name
        for name, params in ARCHIVE.items()
        if name in found
        and params.items() <= found[name].params.items()
        and set(ORIGIN) <= set(found[name].tags)
    ]
    expect.that(
        len(sound) == len(ARCHIVE),
        looked_at="the experiment `archive` in mlflow.db",
        found=sound or "none of Mara's runs",
        expected=", ".join(ARCHIVE),
        why="A store is what the team knows of its models. Who throws it away to get rid of one line has "
        "thrown away every number that was ever reported from it. Take out the one run; keep the rest.",
        link=f"{PAGE}#a-secret-in-a-store",
        misconception="store-thrown-away",
    )


def test_lost_run_is_named(evidence: Evidence, expect: Expect) -> None:
    said = _toml(evidence.text("answers.toml"))
    name, lost = said.get("lost_run"), said.get("lost")
    branch = name == "more-trees"
    expect.that(
        (name, lost) == ("friday-evening", "data"),
        looked_at="answers.toml",
        found=f"lost_run = {name}, lost = {lost}",
        expected="the run that cannot be made again, and which part of it is nowhere",
        why="Its commit is not on main, and still in the repository: look at every branch. It can be "
        "repeated."
        if branch
        else "For each run of the archive: is its git_commit a commit here, and is its data_md5 in the "
        "store? One of the two is missing for one of them.",
        link=f"{PAGE}#what-makes-a-run-repeatable",
        misconception="looked-on-main-only" if branch else "",
    )


def test_token_was_revoked_first(evidence: Evidence, expect: Expect) -> None:
    notes = _toml(evidence.text("tokens.toml"))
    revoked = notes.get("revoked_sha256") == hashlib.sha256(TOKEN.encode()).hexdigest()
    expect.that(
        revoked,
        looked_at="tokens.toml, which rotate.py writes",
        found="the old token is not revoked",
        expected="the old token, revoked",
        why="Everybody who could read the store has had this token, and may still have it. Taking it out of "
        "sight does not take it out of their hands. Run `python rotate.py`.",
        link=f"{PAGE}#a-secret-in-a-store",
        misconception="never-rotated",
    )
    seen = notes.get("could_still_be_read_in")
    expect.that(
        isinstance(seen, int) and seen > 0,
        looked_at="tokens.toml, which rotate.py writes",
        found="the token was revoked when no file of the store had it any more",
        expected="revoked first, cleaned after",
        why="All the while that you were cleaning, the token worked. Revoking takes a minute and ends the "
        "danger; cleaning takes an hour and ends only the embarrassment.",
        link=f"{PAGE}#a-secret-in-a-store",
        misconception="cleaned-first",
    )


def test_secret_is_gone(evidence: Evidence, expect: Expect) -> None:
    secret = TOKEN.encode()
    files = [
        path
        for path in evidence.files()
        if not path.startswith((".git/", "secrets.env")) and secret in (evidence.read(path) or b"")
    ]
    runs = evidence.mlflow.runs(deleted=True)
    holding = [
        run for run in runs if any(TOKEN in value for value in (*run.params.values(), *run.tags.values()))
    ]
    kinds = {
        "soft-deleted": any(run.deleted for run in holding),
        "secret-renamed": any(
            not run.deleted and run.params.get("weather_token") != TOKEN for run in holding
        ),
        "artifact-kept": not holding and any(path.endswith(".json") for path in files),
        "left-in-free-pages": not holding and "mlflow.db" in files,
    }
    whys = {
        "soft-deleted": "`delete_run` sets a mark, so that the run can be restored. Row, parameter and "
        "artifacts are still there, for everybody with a copy of the store. `mlflow gc` takes them out.",
        "secret-renamed": "It has another name or another place and is still a token in clear text. Names "
        "protect nothing. Take the run out.",
        "artifact-kept": "The database is clean, and a file that the run logged still has the token. A run "
        "has two homes: rows in the database, files in the artifact store. `mlflow gc` cleans both.",
        "left-in-free-pages": "No run has it any more, but the bytes are still in the database file: SQLite "
        "keeps the pages of deleted rows for later use. `VACUUM` writes the file anew without them.",
    }
    kind = next((name for name, holds in kinds.items() if holds), "")
    expect.that(
        not files,
        looked_at="every file that you hand in, byte by byte",
        found=", ".join(files),
        expected="the old token in none of them",
        why=whys.get(
            kind, "A store is copied, backed up and read by many. What was secret in it must leave it."
        ),
        link=f"{PAGE}#a-secret-in-a-store",
        misconception=kind,
    )
    expect.that(
        not [
            path for path in list(evidence.git.files())[:MOST] if secret in (evidence.git.read(path) or b"")
        ],
        looked_at="the files of your last commit",
        found="the old token",
        expected="no token",
        why="The token is in Git now, and in every clone. Take that file out of history, as in module 02.",
        link=f"{PAGE}#a-secret-in-a-store",
    )


def _toml(text: str | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
