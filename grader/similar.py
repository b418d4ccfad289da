"""Which submissions of a lab are alike in what their authors added to the starter.

Runs of tokens are compared, so renaming, reordering, commenting and cutting a notebook into other cells
change little. What everybody was given is taken out first, then what more than a few have in common. What is
left are numbers and places for a person to look at: two answers may be alike for many reasons.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.manifest import Lab
from grader.snapshot import Snapshot, take
from grader.starter import lay_out
from grader.tokens import MAX_BYTES, Part, Token, parts
from grader.traces import Traces, traces

RUN = 12  # tokens that must follow each other alike
LEAST_TOKENS = 40  # alike, beyond the starter
COMMON = 10  # what more than so many have, or a tenth of the class, is nobody's own


@dataclass(frozen=True)
class Read:
    """A text with its tokens, and the hash of each run of `RUN` tokens by where it begins."""

    part: Part
    tokens: tuple[Token, ...]
    runs: tuple[int, ...]


@dataclass(frozen=True)
class Work:
    """What is compared of one submission."""

    learner: str
    snapshot: str
    texts: tuple[Read, ...]
    traces: Traces

    @property
    def runs(self) -> set[int]:
        """The hashes of all runs in it."""
        return {run for text in self.texts for run in text.runs}


@dataclass(frozen=True)
class Passage:
    """A stretch of a learner's own tokens that the other has too: of one text, from token to token.

    `twin` is the number of the other's passage in which it begins.
    """

    text: int
    first: int
    last: int
    twin: int = 0


@dataclass(frozen=True)
class Side:
    """One of a pair: how many tokens are its own, how many of those the other has too, and where."""

    work: Work
    own: int
    alike: int
    passages: tuple[Passage, ...]

    @property
    def share(self) -> float:
        """How much of the learner's own the other has too, 0 to 1."""
        return self.alike / self.own if self.own else 0.0


@dataclass(frozen=True)
class Pair:
    """Two submissions, and what they have in common beyond what was given."""

    left: Side
    right: Side
    ids: tuple[str, ...]
    commits: tuple[str, ...]
    data: tuple[str, ...]

    @property
    def share(self) -> float:
        """The larger of the two shares."""
        return max(self.left.share, self.right.share)

    @property
    def is_same(self) -> bool:
        """Whether every file is the same."""
        return self.left.work.snapshot == self.right.work.snapshot


@dataclass(frozen=True)
class Found:
    """What is alike in a class: pairs, the most alike first; and files by who has them."""

    compared: int
    pairs: tuple[Pair, ...]
    data: tuple[tuple[str, tuple[str, ...]], ...]


def given(lab: Lab) -> Work:
    """What `lab start` lays out for everybody, as it would be read of a learner.

    Raises:
        CourseError: the starter cannot be laid out.
    """
    with TemporaryDirectory(prefix="similar-") as folder:
        lay_out(lab, Path(folder) / lab.id)
        return read(take(Path(folder) / lab.id), "")


def read(snapshot: Snapshot, learner: str) -> Work:
    """Read a submission for comparing.

    Raises:
        OSError: a file went away.
    """
    texts = []
    for file in snapshot.files:
        if file.size <= MAX_BYTES and not file.path.startswith(".git/"):
            found = parts(file.path, (snapshot.folder / file.path).read_bytes())
            texts += [_read(part) for part in found]
    return Work(learner, snapshot.hash, tuple(texts), traces(snapshot))


def compare(works: Sequence[Work], starter: Work, *, least: float = 0.5) -> Found:
    """Compare each submission with each other.

    Args:
        works: one of each learner.
        starter: what everybody was given.
        least: the share of a learner's own tokens from which on a pair is named.
    """
    few = max(COMMON, len(works) // 10)
    runs = [work.runs for work in works]
    common = starter.runs | _of_many(runs, few)
    left = [found - common for found in runs]
    marks = [(work.traces.ids - starter.traces.ids, work.traces.commits - starter.traces.commits)
             for work in works]  # fmt: skip
    data = _shared_data(works, starter, few)
    own = [_own(work, common) for work in works]
    pairs = []
    for one, two in _meetings(left, marks, works, few):
        shared = left[one] & left[two]
        sides = _sides(works[one], works[two], own[one], own[two], shared)
        ids, commits = (tuple(sorted(a & b)) for a, b in zip(marks[one], marks[two], strict=True))
        files = sorted(path for path, who in data if {works[one].learner, works[two].learner} <= set(who))
        pair = Pair(*sides, ids, commits, tuple(files))
        alike = max(side.alike for side in sides) >= LEAST_TOKENS and pair.share >= least
        if alike or ids or commits or (pair.is_same and pair.left.own):
            pairs.append(pair)
    pairs.sort(key=lambda pair: (-pair.share, -pair.left.alike, pair.left.work.learner))
    return Found(len(works), tuple(pairs), tuple(data))


@lru_cache(maxsize=4096)
def _read(part: Part) -> Read:
    """Most files of a class are the starter's, word for word: each is read once."""
    tokens = tuple(part.tokens)
    kinds = [token.kind for token in tokens]
    starts = range(len(kinds) - RUN + 1)
    return Read(part, tokens, tuple(hash((part.language, *kinds[at : at + RUN])) for at in starts))


def _of_many(held: Iterable[set[int]], few: int) -> set[int]:
    counts = Counter(run for runs in held for run in runs)
    return {run for run, count in counts.items() if count > few}


def _meetings(
    left: Sequence[set[int]],
    marks: Sequence[tuple[frozenset[str], frozenset[str]]],
    works: Sequence[Work],
    few: int,
) -> list[tuple[int, int]]:
    """The pairs that have anything in common, by their places."""
    holders: defaultdict[int | str, list[int]] = defaultdict(list)
    for at, (runs, (ids, commits), work) in enumerate(zip(left, marks, works, strict=True)):
        keys: list[int | str] = [*runs, *ids, *commits, work.snapshot]
        for key in keys:
            holders[key].append(at)
    met: set[tuple[int, int]] = set()
    for holding in holders.values():
        if 1 < len(holding) <= few:
            met.update(combinations(holding, 2))
    return sorted(met)


def _shared_data(works: Sequence[Work], starter: Work, few: int) -> list[tuple[str, tuple[str, ...]]]:
    """Files with the same content in several submissions, but not in many, and in no starter."""
    paths: dict[str, str] = {}
    holders: defaultdict[str, list[str]] = defaultdict(list)
    for work in works:
        for digest, path in work.traces.data.items():
            paths.setdefault(digest, path)
            holders[digest].append(work.learner)
    return sorted(
        (paths[digest], tuple(who))
        for digest, who in holders.items()
        if 1 < len(who) <= few and digest not in starter.traces.data
    )


def _own(work: Work, common: set[int]) -> list[list[bool]]:
    """For each text, which tokens stand in no run that everybody has."""
    return [[not token for token in _covered(text, common)] for text in work.texts]


def _covered(text: Read, runs: set[int]) -> list[bool]:
    """Which tokens stand in one of `runs`."""
    found = [False] * len(text.tokens)
    end = 0
    for at, run in enumerate(text.runs):
        if run in runs:
            for place in range(max(at, end), at + RUN):
                found[place] = True
            end = at + RUN
    return found


def _sides(
    one: Work, two: Work, own_one: list[list[bool]], own_two: list[list[bool]], shared: set[int]
) -> tuple[Side, Side]:
    left, right = _side(one, own_one, shared), _side(two, own_two, shared)
    return _twinned(left, right), _twinned(right, left)


def _side(work: Work, own: list[list[bool]], shared: set[int]) -> Side:
    passages, alike = [], 0
    for number, (text, mine) in enumerate(zip(work.texts, own, strict=True)):
        begun = None
        marks = [is_own and hit for is_own, hit in zip(mine, _covered(text, shared), strict=True)]
        alike += sum(marks)
        for at, hit in enumerate([*marks, False]):
            if hit and begun is None:
                begun = at
            elif not hit and begun is not None:
                passages.append(Passage(number, begun, at - 1))
                begun = None
    return Side(work, sum(map(sum, own)), alike, tuple(passages))


def _twinned(side: Side, other: Side) -> Side:
    """The same with each passage's twin: the other's passage that holds one of its runs."""
    homes: dict[int, int] = {}
    for number, passage in enumerate(other.passages, start=1):
        for run in _runs_in(other.work, passage):
            homes.setdefault(run, number)
    found = []
    for passage in side.passages:
        twin = next((homes[run] for run in _runs_in(side.work, passage) if run in homes), 0)
        found.append(Passage(passage.text, passage.first, passage.last, twin))
    return Side(side.work, side.own, side.alike, tuple(found))


def _runs_in(work: Work, passage: Passage) -> Sequence[int]:
    """The runs that touch a passage."""
    runs: Sequence[int] = work.texts[passage.text].runs
    return runs[max(0, passage.first - RUN + 1) : passage.last + 1]
