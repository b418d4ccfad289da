"""The site holds together: strict, offline, and in step with the commands and the checks that point to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer

from grader import doctor as walls
from grader.cli import app as grader_app
from lab_env import doctor
from lab_env.cli import app as lab_app

COURSE = Path(__file__).parent.parent.parent
PROGRAMS = {"lab": lab_app, "grader": grader_app}
HYPE = "simply|just|obviously|powerful|seamless|seamlessly|leverage|delve|robust|cutting-edge|game-changer"
LOADS = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "video": "src"}


class Page(HTMLParser):
    """The ids of a page, and the addresses that it loads without being asked."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.loads: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if facts.get("id"):
            self.ids.add(str(facts["id"]))
        if tag in LOADS and facts.get(LOADS[tag]) and facts.get("rel") != "canonical":
            self.loads.append(str(facts[LOADS[tag]]))


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 8
    for page in pages:
        outside = [address for address in Page(page).loads if re.match(r"(https?:)?//", address)]
        assert outside == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", style.read_text()), style


def test_no_python_and_no_example_is_published_with_the_pages(site: Path) -> None:
    assert not list(site.rglob("*.py"))
    assert not (site / "examples").exists()


def test_no_page_talks_like_an_advertisement() -> None:
    texts = [*(COURSE / "docs").rglob("*.md"), *COURSE.glob("*.md"), *COURSE.glob("labs/*/*.md")]
    for text in texts:
        found = re.search(rf"\b({HYPE})\b|\w!(?!\[)", text.read_text(), re.IGNORECASE)
        assert not found, f"{text.relative_to(COURSE)}: {found}"


def test_every_quote_of_a_file_was_filled_in(site: Path) -> None:
    for page in site.rglob("*.html"):
        words = re.sub(r"<[^>]+>", "", page.read_text())
        assert "--8" not in words, page


def test_no_markdown_is_left_in_what_a_reader_sees(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = re.sub(r"<(code|pre|script|style)\b.*?</\1>", "", page.read_text(), flags=re.DOTALL)
        left = re.search(r"\]\(\S+\)|\*\*\w|^(!!!|\?\?\?) ", re.sub(r"<[^>]+>", "", text), re.MULTILINE)
        assert not left, f"{page.relative_to(site)}: {left}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[gone](gone.md)", "gone.md"),
        ("[gone](setup.md#gone)", "gone"),
        ('```python\n--8<-- "docs/examples/first-version.sh:gone"\n```', "gone"),
        ('```bash\n--8<-- "docs/examples/gone.sh"\n```', "gone.sh"),
        ('```quiz\nid = "x"\n```', "A quiz needs `ask`"),
        ("```loop\nOne: a\n```", "A loop has an even number of steps"),
        ("<!-- keys: gone -->", "gone"),
        ("<!-- figure: gone -->", "gone"),
    ],
)
@pytest.mark.usefixtures("site")  # what it measured of the world is kept, and the copies need not do it again
def test_a_broken_page_fails_the_build(tmp_path: Path, text: str, message: str) -> None:
    course = tmp_path / "course"
    shutil.copytree(COURSE / ".cache" / "world", course / ".cache" / "world")
    for name in ("docs", "labs", "grader", "lab_env"):
        shutil.copytree(COURSE / name, course / name, ignore=shutil.ignore_patterns("__pycache__", ".cache"))
    for name in ("mkdocs.yml", "CHANGELOG.md", "pyproject.toml"):
        shutil.copy(COURSE / name, course)
    page = course / "docs" / "authors.md"
    page.write_text(f"{page.read_text()}\n\n{text}\n")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=course,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(course)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


def test_every_link_of_a_check_leads_to_a_heading(site: Path) -> None:
    links = set(_links_of_checks())
    assert len(links) > 3
    for link in links:
        _assert_is_there(site, link)


def test_every_finding_of_the_doctor_has_its_place_on_the_setup_page(site: Path) -> None:
    findings = doctor.examine(doctor.Machine())
    assert len(findings) > 8
    for finding in findings:
        _assert_is_there(site, finding.read)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_and_option_is_on_its_page(program: str) -> None:
    page = (COURSE / "docs" / "reference" / f"{program}.md").read_text()
    documented = {name: facts for name, facts in _documented(page) if name.startswith(f"{program} ")}
    command = typer.main.get_command(PROGRAMS[program])
    real = {" ".join(words): command for words, command in _commands(command, (program,))}
    assert sorted(documented) == sorted(real)
    for name, command in real.items():
        arguments = [param for param in command.params if param.param_type_name == "argument"]
        options = {opt for param in command.params for opt in param.opts if opt.startswith("--")} - {"--help"}
        assert documented[name][1] == options, f"the options of `{name}`"
        shown = [
            f"{param.name.upper()}" if param.required else f"[{param.name.upper()}]"
            for param in arguments
            if param.name
        ]
        assert documented[name][0] == shown, f"the arguments of `{name}`"


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_named_anywhere_on_a_page_exists(program: str) -> None:
    names = {words[1] for words, _ in _commands(typer.main.get_command(PROGRAMS[program]), (program,))}
    pages = [*(COURSE / "docs").rglob("*.md"), COURSE / "README.md", COURSE / "CONTRIBUTING.md"]
    for page in pages:
        for found in re.findall(rf"(?:`|\$ |^){program} ([a-z]+)", page.read_text(), re.MULTILINE):
            assert found in names, f"{page.name}: `{program} {found}`"


def test_every_test_that_a_page_names_exists() -> None:
    named = 0
    for page in (COURSE / "docs").rglob("*.md"):
        for file, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text()):
            source = (COURSE / file).read_text() if (COURSE / file).is_file() else ""
            assert source, f"{page.name}: {file} is not there"
            assert not test or re.search(rf"^def {test}\(", source, re.MULTILINE), (
                f"{page.name}: {file}::{test}"
            )
            named += 1
    assert named > 40


def test_every_wall_of_the_doctor_is_on_the_page_and_marked_as_it_is() -> None:
    page = (COURSE / "docs" / "honest.md").read_text()
    rows = re.findall(r"^\| ([\w/ ]+) \| (required|better to have) \|", page, re.MULTILINE)
    assert rows == [(name, "required" if must else "better to have") for name, must, *_ in walls.WALLS]


def _commands(
    command: object, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], typer.core.TyperCommand]]:
    """Every command that can be typed, with the words that lead to it."""
    if isinstance(command, typer.core.TyperGroup):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*words, name))
    elif isinstance(command, typer.core.TyperCommand):
        yield words, command


def _documented(page: str) -> Iterator[tuple[str, tuple[list[str], set[str]]]]:
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        words = heading.split()
        name = " ".join(word for word in words if word.islower())
        options = set(re.findall(r"^\| `(--[\w-]+)", text, re.MULTILINE))
        yield name, ([word for word in words if not word.islower()], options)


def _links_of_checks() -> Iterator[str]:
    """Every page and anchor that a check's source names, whole or as `f"{PAGE}#anchor"`."""
    for file in (*COURSE.glob("labs/*/checks/*.py"), *COURSE.glob("solutions/*/checks/*.py")):
        source = file.read_text()
        pages = dict(re.findall(r'^(\w+) = "([\w/-]+\.md)"$', source, re.MULTILINE))
        yield from re.findall(r'"([\w/-]+\.md(?:#[\w-]+)?)"', source)
        yield from (pages[name] + anchor for name, anchor in re.findall(r"\{(\w+)\}(#[\w-]+)", source))


def _assert_is_there(site: Path, link: str) -> None:
    path, _, anchor = link.partition("#")
    page = site / path.replace(".md", ".html")
    assert page.is_file(), link
    assert not anchor or anchor in Page(page).ids, link
