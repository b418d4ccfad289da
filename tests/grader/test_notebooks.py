from collections.abc import Sequence

import pytest

from grader.cells import Cell
from grader.notebooks import labels, rebuild

WORDS = Cell("# Orders", "markdown", "words")
GIVEN = Cell("import csv\nimport json", id="given")
SOLUTION = Cell(
    "def total(orders):\n    raise NotImplementedError", id="total", title="Total", role="solution"
)
LOCKED = Cell("RATE = 2", id="rate", role="locked")
CHECK = Cell("assert total([]) == 0", id="is_total", role="check")
LAST = Cell("print(total([1]))", id="last")
RELEASED = (WORDS, GIVEN, SOLUTION, LOCKED, CHECK, LAST)
WRITTEN = "def total(orders):\n    return sum(orders)"


def handed_in(**sources: str | None) -> list[Cell]:
    """The released cells with other sources by id; None takes the cell away."""
    wanted = {"total": WRITTEN, **sources}
    return [
        Cell(wanted.get(cell.id, cell.source) or "", cell.kind, cell.id)
        for cell in RELEASED
        if wanted.get(cell.id, "") is not None
    ]


def code(cells: Sequence[Cell]) -> list[str]:
    return [cell.source for cell in cells if cell.kind == "code"]


WHOLE = [GIVEN.source, WRITTEN, LOCKED.source, CHECK.source, LAST.source]


def test_the_answer_stands_in_the_release() -> None:
    cells = rebuild(RELEASED, handed_in())
    assert code(cells) == WHOLE
    assert [(cell.id, cell.role) for cell in cells] == [(cell.id, cell.role) for cell in RELEASED]


def test_a_solution_that_is_gone_or_empty_is_not_given_back() -> None:
    assert WRITTEN not in code(rebuild(RELEASED, handed_in(total=None)))
    assert SOLUTION.source not in code(rebuild(RELEASED, handed_in(total=None)))
    assert rebuild(RELEASED, handed_in(total=""))[2].source == ""


def test_what_was_given_may_be_changed_and_comes_back_when_it_is_gone() -> None:
    assert code(rebuild(RELEASED, handed_in(given="import os")))[0] == "import os"
    for gone in (None, "", " \n"):
        assert code(rebuild(RELEASED, handed_in(given=gone, last=gone))) == WHOLE


def test_what_is_locked_is_as_it_was_released() -> None:
    assert code(rebuild(RELEASED, handed_in(rate="RATE = 9", is_total="pass"))) == WHOLE


def test_own_cells_stay_behind_their_neighbours() -> None:
    first, second, third = Cell("first = 1", id="x"), Cell("second = 2"), Cell("Mine.", "markdown", "y")
    given = handed_in()
    cells = rebuild(RELEASED, [first, *given[:3], second, third, *given[3:]])
    assert code(cells) == ["first = 1", GIVEN.source, WRITTEN, "second = 2", *WHOLE[2:]]
    assert cells[5] == Cell("Mine.", "markdown")


def test_an_own_cell_does_not_take_the_place_of_one_that_was_given() -> None:
    given = handed_in(given=None)
    cells = rebuild(RELEASED, [*given[:1], Cell("my_rate = 3", id="x"), *given[1:]])
    assert code(cells) == ["my_rate = 3", *WHOLE]


def test_without_ids_a_changed_cell_is_known_by_its_words_or_its_place() -> None:
    given = [Cell(cell.source, cell.kind) for cell in handed_in(given="import csv\nimport json\nimport os")]
    assert code(rebuild(RELEASED, given)) == ["import csv\nimport json\nimport os", *WHOLE[1:]]
    given = [Cell(cell.source, cell.kind) for cell in handed_in(total="add = sum")]
    cells = rebuild(RELEASED, given)
    assert (cells[2].source, cells[2].role) == ("add = sum", "solution")


def test_a_copy_is_run_once_and_two_cells_of_ones_own_twice() -> None:
    given = handed_in()
    assert code(rebuild(RELEASED, [*given, *given])) == WHOLE
    assert code(rebuild(RELEASED, [*given, Cell("n += 1"), Cell("n += 1")]))[-2:] == ["n += 1", "n += 1"]


def test_lines_merged_into_another_cell_are_not_run_twice() -> None:
    given = handed_in(total=f"{WRITTEN}\n\n{LAST.source}", last=None)
    assert code(rebuild(RELEASED, given)) == [*WHOLE[:1], f"{WRITTEN}\n\n{LAST.source}", *WHOLE[2:4]]


def test_nothing_handed_in_leaves_what_was_given() -> None:
    assert code(rebuild(RELEASED, [])) == [*WHOLE[:1], *WHOLE[2:]]
    assert code(rebuild([], handed_in())) == WHOLE


@pytest.mark.parametrize("size", [1000])
def test_a_thousand_cells_without_ids_are_no_matter(size: int) -> None:
    own = [Cell(f"value_{number} = orders[{number}]" * 100) for number in range(size)]
    cells = rebuild([*RELEASED, *(Cell(f"given_{at} = 1", id=f"g{at}") for at in range(50))], own)
    assert len(cells) == size + len(RELEASED) - 1 + 50


def test_a_cell_is_called_by_its_title_its_heading_or_its_number() -> None:
    cells = [Cell("x"), Cell("Intro\n## Orders  \ntext", "markdown"), Cell("y"), Cell("z", title="Split")]
    assert labels(cells) == ("no. 1", "Orders", "Orders", "Split")
