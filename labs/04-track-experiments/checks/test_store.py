"""Checks of lab 04 that read the store: runs, the choice, the model's description."""

import hashlib
import re
import tomllib
from math import isfinite, nan
from typing import Any

import yaml

from grader.checks import Evidence, Expect, Run

PAGE = "modules/04-track-experiments.md"
HASH = re.compile("[0-9a-f]{40}")
LONGEST = 100_000  # characters of a description that are looked at
POINTER = "data/orders.parquet.dvc"


def test_settings_are_logged(evidence: Evidence, expect: Expect) -> None:
    runs = _finished(evidence, expect)
    lacking = [run for run in runs if not {"leaves", "rate", "seed"} <= set(run.params)]
    named = lacking and any(sign.isdigit() for sign in lacking[0].name)
    expect.that(
        not lacking,
        looked_at=_count(runs),
        found=lacking
        and f"run {lacking[0].id[:7]} “{lacking[0].name}” with {sorted(lacking[0].params) or 'none'}",
        expected="the parameters leaves, rate and seed",
        why="The settings stand in the run's name, which is for people: nothing can filter, sort or group "
        "by it, and it can be edited. Log them as parameters."
        if named
        else "What a run was told is its input. Without it the result cannot be made again.",
        link=f"{PAGE}#a-complete-run",
        misconception="settings-in-the-name" if named else "settings-not-logged",
    )
    unmeasured = [run for run in runs if not isfinite(run.metrics.get("valid_mae", nan))]
    expect.that(
        not unmeasured,
        looked_at=_count(runs),
        found=unmeasured
        and f"run {unmeasured[0].id[:7]} with {sorted(unmeasured[0].metrics) or 'no metric'}",
        expected="the metric valid_mae",
        why="A run without a result is a build without an artifact. Log what `measure` returns.",
        link=f"{PAGE}#a-complete-run",
    )


def test_code_is_named(evidence: Evidence, expect: Expect) -> None:
    runs = _finished(evidence, expect)
    refs = {*evidence.git.branches().values(), *evidence.git.tags().values()}
    kept = {
        named
        for named in {_commit(run) for run in runs}
        if HASH.fullmatch(named) and any(evidence.git.is_ancestor(named, ref) for ref in refs)
    }
    for run in runs:
        named = _commit(run)
        expect.that(
            HASH.fullmatch(named) is not None,
            looked_at=_count(runs),
            found=f"git_commit = {named or 'nothing'} in run {run.id[:7]}",
            expected="a commit's hash, 40 hex digits",
            why="A branch, a tag or HEAD is a name that moves. Next week it means other code. `git "
            "rev-parse HEAD` gives the hash, which cannot."
            if named
            else "Without the commit nobody can say which code gave this number.",
            link=f"{PAGE}#a-complete-run",
            misconception="branch-logged" if named else "",
        )
        expect.that(
            named in kept,
            looked_at=_count(runs),
            found=f"{named[:7]} in run {run.id[:7]}, which no branch or tag of this repository reaches",
            expected="a commit of this repository",
            why="The commit was rewritten or never kept, and the code that ran with it is gone. Commit "
            "first, run after, and leave the commit alone.",
            link=f"{PAGE}#a-complete-run",
            misconception="commit-rewritten",
        )


def test_data_is_named(evidence: Evidence, expect: Expect) -> None:
    runs = _finished(evidence, expect)
    for run in runs:
        said, wanted = _fact(run, "data_md5"), _pointer(evidence, _commit(run))
        expect.that(
            bool(said) and said == wanted,
            looked_at=f"the tag data_md5 of run {run.id[:7]}, beside {POINTER} in its commit",
            found=said or "no such tag",
            expected=wanted or "the pointer's hash; but that commit has no pointer",
            why="A path says where the data was. The nightly export overwrites it, and the path stays true "
            "while the data is another. The hash is the data's own name: log the pointer's."
            if "/" in said or "." in said
            else "The data is most of what a model is made from. Its hash is in the pointer that your "
            "commit has.",
            link=f"{PAGE}#a-complete-run",
            misconception="data-path-logged" if "/" in said or "." in said else "",
        )


def test_environment_is_named(evidence: Evidence, expect: Expect) -> None:
    runs = _finished(evidence, expect)
    for run in runs:
        said = _fact(run, "lock_sha256")
        lock = evidence.git.read("environment.lock", ref=_commit(run))
        wanted = hashlib.sha256(lock or b"").hexdigest() if lock else "no environment.lock in that commit"
        expect.that(
            said == wanted,
            looked_at=f"the tag lock_sha256 of run {run.id[:7]}, beside environment.lock in its commit",
            found=said or "no such tag",
            expected=wanted,
            why="The same code and the same data give other trees with another scikit-learn. One version is "
            "not the environment: what computes is seven packages and what they pull in. Hash the lock.",
            link=f"{PAGE}#what-makes-a-run-repeatable",
            misconception="version-logged" if said else "",
        )


def test_rule_came_first(evidence: Evidence, expect: Expect) -> None:
    margin = _margin(evidence.git.read("rule.toml"))
    expect.that(
        margin is not None,
        looked_at="rule.toml in your last commit",
        found="no margin_minutes from 0.005 to 0.5",
        expected="margin_minutes, a number from 0.005 to 0.5",
        why="Without a margin the smallest number wins, and the smallest of many numbers is partly luck.",
        link=f"{PAGE}#the-garden-of-forking-paths",
    )
    runs = _finished(evidence, expect)
    for run in runs:
        then = _margin(evidence.git.read("rule.toml", ref=_commit(run)))
        expect.that(
            then == margin,
            looked_at=f"rule.toml in the commit of run {run.id[:7]}, and today",
            found=f"margin_minutes = {'nothing' if then is None else then} when it ran, {margin} today",
            expected="the same rule before and after",
            why="With the results on the table there is always a margin under which one's favourite wins. A "
            "rule that is set after them chooses nothing; it explains a choice that was made already.",
            link=f"{PAGE}#the-garden-of-forking-paths",
            misconception="rule-edited-after",
        )


def test_search_is_fair(evidence: Evidence, expect: Expect) -> None:
    seeds: dict[tuple[str, str], set[str]] = {}
    for run in _finished(evidence, expect):
        seeds.setdefault((run.params["leaves"], run.params["rate"]), set()).add(run.params["seed"])
    looked_at = "the settings (leaves, rate) of the finished runs of `promise`, and their seeds"
    shown = "; ".join(
        f"{leaves} leaves at {rate}: seeds {', '.join(sorted(of))}" for (leaves, rate), of in seeds.items()
    )
    shared = set.intersection(*seeds.values()) if seeds else set()
    expect.that(
        len(seeds) >= 3,
        looked_at=looked_at,
        found=shown,
        expected="at least three settings",
        why="Two points make no search. Try a small, a middle and a large tree.",
        link=f"{PAGE}#a-seed-is-not-a-setting",
    )
    expect.that(
        len(shared) >= 3,
        looked_at=looked_at,
        found=shown,
        expected="at least three seeds that every setting has",
        why="One run of a setting is one throw of the dice. What a seed changes is often more than what a "
        "setting changes, and then the luckiest setting looks like the best.",
        link=f"{PAGE}#a-seed-is-not-a-setting",
        misconception="one-throw-each",
    )


def test_choice_follows_the_rule(evidence: Evidence, expect: Expect) -> None:
    runs = _finished(evidence, expect)
    said = _chosen(evidence)
    right = _by_rule(runs, _margin(evidence.git.read("rule.toml")) or 0.0)
    favourites = {
        name: min(runs, key=lambda run: run.metrics.get(name, 1e9)).id for name in ("valid_mae", "test_mae")
    }
    misconception, why = (
        "",
        "Apply the four sentences of rule.toml to the table of your runs, one after the other.",
    )
    if said == favourites["test_mae"]:
        misconception = "winner-by-the-test"
        why = (
            "This run has the smallest test_mae. Once the test week has chosen, it is no test any more: its "
        )
        why += "number is the best of nine, and reported as if it were the only one. Choose by week 5."
    elif said == favourites["valid_mae"]:
        misconception = "best-seed"
        why = "This is the single run with the smallest valid_mae. Its other seeds do worse: this one was "
        why += "lucky, and luck does not ship. Average over the seeds, then compare settings."
    expect.that(
        said == right.id,
        looked_at="choice.toml, beside the finished runs of `promise` and rule.toml",
        found=next((_line(run) for run in runs if run.id == said), said or "no run_id"),
        expected=_line(right),
        why=why,
        link=f"{PAGE}#choose-by-a-rule",
        misconception=misconception,
    )


def test_model_has_a_signature(evidence: Evidence, expect: Expect) -> None:
    folder, described = published(evidence, expect)
    signature = described.get("signature")
    inputs = signature.get("inputs") if isinstance(signature, dict) else None
    expect.that(
        bool(inputs),
        looked_at=f"MLmodel in {folder}",
        found="no signature",
        expected="a signature that names its inputs",
        why="The artifact loads and nobody knows what to feed it. A service that sends the columns in "
        "another order, or kilometres as text, gets an answer all the same, and it is wrong. With a "
        "signature it gets an error.",
        link=f"{PAGE}#what-a-signature-is",
        misconception="no-signature",
    )
    expect.that(
        bool(described.get("saved_input_example_info")),
        looked_at=f"MLmodel in {folder}",
        found="no input example",
        expected="an input example",
        why="Three real rows are the shortest documentation, and a smoke test for whoever deploys it.",
        link=f"{PAGE}#what-a-signature-is",
    )


def published(evidence: Evidence, expect: Expect) -> tuple[str, dict[str, Any]]:
    """Folder and description of the newest model of the chosen run."""
    run = evidence.mlflow.run(_chosen(evidence))
    models = [model for model in run.models if not model.deleted] if run else []
    expect.that(
        bool(models),
        looked_at="the models of the run that choice.toml names",
        found="none" if run else "no such run in mlflow.db",
        expected="a model, logged with `log_model`",
        why="A number without its model can be admired and not deployed. Run publish.py after choose.py.",
        link=f"{PAGE}#what-a-signature-is",
    )
    folder = models[-1].folder
    expect.that(
        folder is not None,
        looked_at="the model's artifact address",
        found="a place outside of your workspace",
        expected="below mlruns or mlartifacts in the workspace",
        why="What lies outside is not handed in, and no colleague gets it with the store.",
        link=f"{PAGE}#what-a-signature-is",
    )
    try:
        described = yaml.safe_load((evidence.text(f"{folder}/MLmodel") or "")[:LONGEST])
    except (yaml.YAMLError, ValueError, RecursionError):
        described = None
    return folder or "", described if isinstance(described, dict) else {}


def _finished(evidence: Evidence, expect: Expect) -> list[Run]:
    """The runs of `promise` that count: finished, and no mere parent of others."""
    runs = evidence.mlflow.runs("promise")
    parents = {run.tags.get("mlflow.parentRunId") for run in runs}
    found = [run for run in runs if run.status == "FINISHED" and (run.id not in parents or run.metrics)]
    expect.that(
        bool(found),
        looked_at="the experiment `promise` in mlflow.db",
        found=f"{len(runs)} runs, none of them finished",
        expected="finished runs",
        why="Nothing was tracked yet. Finish track.py and run it: `python track.py --leaves 15 --seed 1`.",
        link=f"{PAGE}#a-complete-run",
    )
    return found


def _by_rule(runs: list[Run], margin: float) -> Run:
    """What rule.toml picks."""
    groups: dict[tuple[float, float], list[Run]] = {}
    for run in runs:
        if run.metrics.get("valid_mae") == run.metrics.get("valid_mae"):  # no NaN
            groups.setdefault((_number(run, "leaves"), _number(run, "rate")), []).append(run)
    scores = {key: sum(run.metrics["valid_mae"] for run in of) / len(of) for key, of in groups.items()}
    best = min(scores.values())
    winner = min(key for key, score in scores.items() if score <= best + margin)
    return min(groups[winner], key=lambda run: _number(run, "seed"))


def _number(run: Run, name: str) -> float:
    try:
        return float(run.params[name])
    except (KeyError, ValueError):
        return float("inf")


def _line(run: Run) -> str:
    told = ", ".join(f"{name} {run.params.get(name)}" for name in ("leaves", "rate", "seed"))
    return f"run {run.id[:7]} ({told}; valid_mae {run.metrics.get('valid_mae', float('nan')):.4f})"


def _count(runs: list[Run]) -> str:
    return f"the {len(runs)} finished runs of `promise`"


def _fact(run: Run, name: str) -> str:
    return (run.tags.get(name) or run.params.get(name) or "").strip()


def _commit(run: Run) -> str:
    return _fact(run, "git_commit") or run.tags.get("mlflow.source.git.commit", "")


def _pointer(evidence: Evidence, commit: str) -> str:
    out = evidence.dvc.outs(commit).get("data/orders.parquet")
    return out.md5 if out else ""


def _margin(content: bytes | None) -> float | None:
    value = _toml((content or b"").decode(errors="replace")).get("margin_minutes")
    return float(value) if isinstance(value, int | float) and 0.005 <= value <= 0.5 else None


def _chosen(evidence: Evidence) -> str:
    return str(_toml(evidence.text("choice.toml")).get("run_id", ""))


def _toml(text: str | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
