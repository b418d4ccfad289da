"""Lab 01 in a real JupyterLab: opened, run to its end and saved there, then checked in a terminal."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from grader.answers import Kitchen, find_answer
from grader.manifest import find_lab
from lab_env.services import Service, down, up
from lab_env.workspace import Home
from tests.grader.notebook_lab import read

LAB = find_lab(Path(__file__).parent.parent.parent, "01")
NAME = "first_model.ipynb"
FILLED_IN = """def busiest_hour(orders):
    return int(orders["hour"].value_counts().idxmax())"""

LAST_LINE = "the floor: 3.56 minutes; with everything: 2.83\n"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def lab(home: Home, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `lab` as a learner does."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("lab")), *words],
        cwd=LAB.course,
        env=os.environ | {"LAB_HOME": str(home.folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A learner's home with lab 01 laid out."""
    home = Home(LAB.course, tmp_path / "home")
    done = lab(home, "start", "01")
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture
def jupyter(home: Home) -> Iterator[Service]:
    """The JupyterLab of `lab up`."""
    base = 21000 + 300 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    (service,) = up(home, ports={"jupyter": base}, names=("jupyter",))
    assert service.failure == ""
    yield service
    down(home)


@pytest.fixture
def work(home: Home, tmp_path: Path) -> Path:
    """The learner's folder with all done but one cell."""
    folder = home.workspace(LAB.id)
    solved = read(Kitchen(LAB, tmp_path / "answers").make(find_answer(LAB, "master")) / NAME)
    untouched = {cell["id"]: cell["source"] for cell in read(folder / NAME)["cells"]}
    for cell in solved["cells"]:
        if cell["id"] == "ask-when-most-orders-come":
            cell["source"] = untouched[cell["id"]]
    (folder / NAME).write_text(json.dumps(solved))
    return folder


def printed(work: Path) -> list[str]:
    """What the cells of the saved notebook have printed."""
    cells = read(work / NAME)["cells"]
    return ["".join(out.get("text", "")) for one in cells for out in one.get("outputs", ())]


def run_all(page: Page) -> None:
    """Run the notebook from the menu, until its kernel rests."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.get_by_text("Python 3 (ipykernel) | Busy").wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)


def test_the_notebook_is_filled_in_run_saved_and_checked(
    browser: Browser, home: Home, work: Path, jupyter: Service
) -> None:
    page = browser.new_page()
    page.goto(jupyter.url.replace("/lab?", f"/lab/tree/{LAB.id}/{NAME}?"))
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    assert page.get_by_role("button", name="Validate").is_visible()
    for text in ("Nbgrader", "Create Assignment", "Jupyter news"):
        assert page.get_by_text(text).count() == 0, f"a learner sees {text}"
    run_all(page)
    page.get_by_text("NameError: name '____' is not defined").wait_for()
    page.locator(".cm-content", has_text="def busiest_hour").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(FILLED_IN)
    run_all(page)
    until = time.monotonic() + 60
    while LAST_LINE not in printed(work) and time.monotonic() < until:  # it also rests between two cells
        page.keyboard.press("Control+S")
        page.wait_for_timeout(500)
    assert LAST_LINE in printed(work)
    done = lab(home, "check", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, {check["verdict"] for check in told["checks"]}) == (0, {"PASS"}), told
