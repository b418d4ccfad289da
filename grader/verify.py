"""Refuses a bad lab: every promise that a sound one keeps, each a rule with its own message."""

import ast
import hashlib
import json
import os
import platform
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.answers import Answer, Kitchen, list_answers
from grader.boxes.bubblewrap import strongest
from grader.controller import judge
from grader.errors import ReleaseError
from grader.manifest import Lab
from grader.release import check_release
from grader.results import Result, Verdict, write_json
from grader.snapshot import is_cache
from grader.warm import WarmJudge, refused_preload

SEEDS = 20
ENGINE = Path(__file__).parent


@dataclass(frozen=True)
class Judged:
    """An answer and what the judge said of it; `cached` when it was said before."""

    answer: Answer
    result: Result
    cached: bool = False


Told = Callable[[Judged], None]


def verify(
    lab: Lab,
    *,
    cache: bool = True,
    workers: int = 2,
    seeds: int = SEEDS,
    rest: bool = True,
    told: Told = lambda _: None,
) -> list[str]:
    """Everything that is wrong with a lab, one message each; empty when it is sound.

    Args:
        lab: the lab to look at.
        cache: take verdicts from `.cache/verdicts` when nothing they depend on has changed.
        workers: how many answers are judged at once.
        seeds: how many seeds the master's drawing checks are judged on.
        rest: judge a wrong answer on the checks that it does not name too, which it has to pass; without,
            on those that it names and what they wait for.
        told: called with each judged answer as it comes.
    """
    problems = [*missing_functions(lab), *release_out_of_step(lab)]
    problems += [refused] if (refused := refused_preload(lab)) else []
    if problems:
        return problems
    with TemporaryDirectory(prefix="verify-") as folder:
        judged = _judge_all(lab, Path(folder), cache, workers, seeds, rest, told)
    by_kind = {
        kind: [one for one in judged if one.answer.kind == kind] for kind in ("starter", "wrong", "right")
    }
    masters = [one for one in judged if one.answer.kind == "master"]
    problems += [*below_full_marks(masters), *below_full_marks(by_kind["right"])]
    problems += untouched_tasks_passed(lab, by_kind["starter"])
    for one in by_kind["wrong"]:
        problems += wrong_not_as_named(one)
    problems += checks_nobody_fails(lab, by_kind["wrong"])
    problems += differs_when_repeated(masters)
    return problems


def missing_functions(lab: Lab) -> Iterator[str]:
    """Each check has exactly one test function, in the folder that its `hidden` asks for."""
    places = {False: lab.folder / "checks", True: lab.solutions / "checks"}
    found = {hidden: _functions(folder) for hidden, folder in places.items()}
    for check in map(lab.check, _machine_graded(lab)):
        name, other = f"test_{check.id}", not check.hidden
        if name in found[other]:
            wanted = f"hidden = {str(check.hidden).lower()}"
            yield f"{places[other]}: `{name}` stands here, but lab.toml says `{wanted}`."
        elif found[check.hidden].count(name) != 1:
            times = found[check.hidden].count(name)
            yield f"{places[check.hidden]}: found {times} functions `{name}`; a check has exactly one."
    known = {f"test_{name}" for name in _machine_graded(lab)}
    for hidden, names in found.items():
        for name in sorted(set(names) - known):
            yield f"{places[hidden]}: `{name}` belongs to no check of lab.toml."


def release_out_of_step(lab: Lab) -> Iterator[str]:
    """The committed starter is what the master gives, and shows nothing of the solution."""
    try:
        diff = check_release(lab)
    except ReleaseError as error:
        yield str(error)
        return
    if diff:
        yield f"labs/{lab.id} is not in step with its master. Run `grader release {lab.number}`.\n{diff}"


def below_full_marks(judged: list[Judged]) -> Iterator[str]:
    """The master and every right answer earn all points, hidden checks included."""
    for one in judged:
        for check in one.result.checks:
            if not check.passed:
                told = f"{check.verdict}: {check.found}"
                yield f"{one.answer.title} does not earn `{check.id}`. {told} (expected: {check.expected})"


def untouched_tasks_passed(lab: Lab, starters: list[Judged]) -> Iterator[str]:
    """The untouched starter fails every task that is not worked, and passes those that are."""
    for one in starters:
        for task in lab.tasks:
            passed = [one.result.check(check.id).passed for check in task.checks if check.by_hand is None]
            if task.worked and not all(passed):
                yield f"The starter fails the worked task `{task.id}`, which is shown done."
            if not task.worked and passed and all(passed):
                yield f"The untouched starter passes task `{task.id}`: its checks ask for nothing."


def wrong_not_as_named(one: Judged) -> Iterator[str]:
    """A wrong answer fails exactly what it names, with its message; the rest pass or wait for that."""
    fails = one.answer.fails
    for check in one.result.checks:
        said = f"{check.verdict} {check.misconception}".strip() + f". {check.found}"
        place = f"{one.answer.title}: `{check.id}`"
        if check.id in fails:
            wanted = fails[check.id]
            if (wanted != check.misconception and wanted != check.verdict) or check.passed:
                yield f"{place} should fail with `{wanted}`; it is {said}"
        elif check.verdict not in (Verdict.PASS, Verdict.BLOCKED, Verdict.NOT_RUN):
            yield f"{place} is not named in expect.toml, but is {said}"
    names = {check.id for check in one.result.checks}
    for check_id in fails.keys() - names:
        yield f"{one.answer.title}: `{check_id}` was not judged."


def checks_nobody_fails(lab: Lab, wrong: list[Judged]) -> Iterator[str]:
    """Every check is failed by at least one wrong answer; one that cannot fail checks nothing."""
    failed = {name for one in wrong for name in one.answer.fails}
    for check in lab.checks:
        if check.by_hand is None and check.id not in failed:
            wrong_folder = lab.solutions / "wrong"
            yield f"No wrong answer fails `{check.id}`. Add one to {wrong_folder}, or drop the check."


def differs_when_repeated(masters: list[Judged]) -> Iterator[str]:
    """Twice with one seed gives one result."""
    views = [_timeless(one.result) for one in masters if not one.answer.name]
    for once, again in zip(views[0].checks, views[-1].checks, strict=True) if views else ():
        if once != again:
            yield f"The master's `{once.id}` came out differently the second time: {once} against {again}"


def verdict_key(lab: Lab, answer: Answer, seed: int) -> str:
    """What a verdict depends on, as one hash: lab, solution, engine, environment, lock, box, Python."""
    total = hashlib.sha256()
    settings = lab.course / "pyproject.toml"
    named = tomllib.loads(settings.read_text()) if settings.is_file() else {}
    environment = named.get("tool", {}).get("grader", {}).get("environment", [])
    folders = [ENGINE, lab.folder, lab.solutions / "work", lab.solutions / "checks", answer.folder]
    folders += [lab.course / name for name in environment]
    files = [lab.solutions / "solve.sh", lab.course / "requirements.lock", *folders]  # one may be a file
    for folder in folders if answer.kind != "master" else [f for f in folders if f != answer.folder]:
        files += sorted(
            path for path in folder.rglob("*") if not is_cache(path.relative_to(folder).as_posix())
        )
    for file in files:
        if file.is_file():
            base = ENGINE if file.is_relative_to(ENGINE) else lab.course
            total.update(f"{file.relative_to(base)}\0{os.access(file, os.X_OK)}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    total.update(
        f"{answer.title} {seed} {strongest()} {platform.python_version()} {platform.system()}".encode()
    )
    return total.hexdigest()


def _judge_all(
    lab: Lab, folder: Path, cache: bool, workers: int, seeds: int, rest: bool, told: Told
) -> list[Judged]:
    """Every answer judged, the master twice, and its checks that draw at random on many seeds."""
    kitchen = Kitchen(lab, folder)
    answers = list_answers(lab)
    master = answers[1]

    def one(answer: Answer, seed: int = 0) -> Judged:
        named = None if rest else tuple(answer.fails) or None
        judged = _judge(lab, kitchen, warm, answer, seed, cache, seeded if seed > 0 else named)
        told(judged)
        return judged

    seeded: tuple[str, ...] = ()
    with WarmJudge(lab, strongest()) as warm:
        first = [one(answer) for answer in answers[:2]]
        runs = [(answer, 0) for answer in answers[2:]] + [(master, -1)]
        seeded = first[1].result.seeded
        if seeded:
            runs += [(replace(master, name=f"seed {seed}"), seed) for seed in range(1, seeds)]
        with ThreadPoolExecutor(workers) as pool:
            return first + list(pool.map(lambda run: one(*run), runs))


def _judge(
    lab: Lab,
    kitchen: Kitchen,
    warm: WarmJudge,
    answer: Answer,
    seed: int,
    cache: bool,
    only: tuple[str, ...] | None,
) -> Judged:
    """One answer; seed -1 is the same secret as 0, judged again; `only` some checks when not None."""
    key = verdict_key(lab, answer, seed)
    whole, named = (lab.course / ".cache" / "verdicts" / f"{name}.json" for name in (key, f"{key}-named"))
    store = named if answer.fails and only is not None else whole
    for known in (whole, store) if cache else ():
        if known.is_file():
            read = Result.from_dict(json.loads(known.read_text(encoding="utf-8")))
            return Judged(answer, read, cached=True)
    made = answer if answer.kind != "master" else replace(answer, name="")
    secret = None if seed <= 0 else f"seed {seed}".encode()
    work = kitchen.make(made)
    asked = _machine_graded(lab) if only is None else only
    result = judge(lab, work, hidden=True, only=asked, box=strongest(), secret=secret, warm=warm)
    if not any(check.verdict in (Verdict.GRADER_ERROR, Verdict.NOT_RUN) for check in result.checks):
        write_json(store, result.to_dict())
    return Judged(answer, result)


def _machine_graded(lab: Lab) -> tuple[str, ...]:
    return tuple(check.id for check in lab.checks if check.by_hand is None)


def _timeless(result: Result) -> Result:
    checks = tuple(replace(check, seconds=0.0) for check in result.checks)
    return replace(result, seconds=0.0, checks=checks)


def _functions(folder: Path) -> list[str]:
    names = []
    for file in sorted(folder.glob("test_*.py")):
        tree = ast.parse(file.read_text(), filename=str(file))
        names += [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [name for name in names if name.startswith("test_")]
