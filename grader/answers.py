"""Finished work to judge: the starter untouched, the master, near misses and other right answers.

Each is a workspace: the starter is laid out and prepared once, the master's files are laid over it and
`solve.sh` does what is done rather than written. A wrong or right answer lays its own files over the
master's, brings a `solve.sh` of its own, or a `then.sh` that is run after. Of a notebook it may bring only
the cells that differ.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree, ignore_patterns
from threading import RLock

from grader.errors import CourseError
from grader.manifest import Lab
from grader.percent import is_notebook, notebook_path, overlaid, solved
from grader.starter import course_environment, lay_out, run

OWN = ("solve.sh", "then.sh", "expect.toml")


@dataclass(frozen=True)
class Answer:
    """One answer of a lab; `fails` says of a wrong one which checks it fails, and by what misconception."""

    kind: str
    name: str
    folder: Path
    fails: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """How it is called in messages: `master`, `wrong/moved-tag`."""
        return f"{self.kind}/{self.name}" if self.name else self.kind

    @property
    def changes_files(self) -> bool:
        """Whether it must be solved from the start: files of its own, or a `solve.sh` of its own."""
        return any(path.is_file() and path.name != "then.sh" for path in _own_files(self.folder))


def list_answers(lab: Lab) -> tuple[Answer, ...]:
    """Starter, master, then the wrong and the right answers by name.

    Raises:
        CourseError: a wrong answer's `expect.toml` is missing or does not say what it fails.
    """
    found = [Answer("starter", "", lab.folder), Answer("master", "", lab.solutions)]
    for kind in ("wrong", "right"):
        for folder in sorted(path for path in (lab.solutions / kind).glob("*") if path.is_dir()):
            found.append(Answer(kind, folder.name, folder, _fails(lab, folder) if kind == "wrong" else {}))
    return tuple(found)


def find_answer(lab: Lab, kind: str, name: str = "") -> Answer:
    """One answer of a lab.

    Raises:
        CourseError: there is none of that name; lists those there are.
    """
    names = []
    for answer in list_answers(lab):
        if answer.kind == kind:
            names.append(answer.name)
            if answer.name == name:
                return answer
    raise CourseError(f"Lab {lab.id} has no {kind} answer `{name}`. There are: {', '.join(names) or 'none'}.")


class Kitchen:
    """Makes answers into workspaces below one folder; the starter and the master are made once."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self._making = RLock()

    def make(self, answer: Answer) -> Path:
        """A workspace with the answer in it. Several threads may ask.

        Raises:
            CourseError: `prepare`, `solve.sh` or `then.sh` failed, with the end of its output.
        """
        if answer.kind in ("starter", "master"):
            with self._making:
                return self._make(answer)
        return self._make(answer)

    def _make(self, answer: Answer) -> Path:
        target = self.folder / answer.title.replace("/", "-")
        if target.exists():
            return target
        if answer.kind == "starter":
            lay_out(self.lab, target)
        elif answer.kind == "master" or answer.changes_files:
            self._solve(answer, target)
        else:
            copytree(self.make(Answer("master", "", self.lab.solutions)), target, symlinks=True)
        if answer.kind in ("wrong", "right") and (answer.folder / "then.sh").is_file():
            self._script(answer.folder / "then.sh", target)
        return target

    def _solve(self, answer: Answer, target: Path) -> None:
        copytree(self.make(Answer("starter", "", self.lab.folder)), target, symlinks=True)
        _lay_over(self.lab.solutions / "work", target)
        notebooks = self._notebooks(target)
        if answer.kind != "master":
            _lay_over(answer.folder, target)
            _lay_cells_over(answer, target, notebooks)
        own = answer.folder / "solve.sh"
        script = own if own.is_file() else self.lab.solutions / "solve.sh"
        if script.is_file():
            self._script(script, target)

    def _notebooks(self, target: Path) -> list[str]:
        """Make the notebooks that the master has as text; the paths of the texts."""
        found = []
        for file in sorted((self.lab.solutions / "work").rglob("*.py")):
            path = file.relative_to(self.lab.solutions / "work").as_posix()
            if is_notebook(path, file.read_bytes()):
                (target / path).unlink()
                content = solved(self.lab, path, file.read_text(encoding="utf-8"))
                (target / notebook_path(path)).write_bytes(content)
                found.append(path)
        return found

    def _script(self, script: Path, workspace: Path) -> None:
        home = self.folder / f"{workspace.name}.home"
        home.mkdir(exist_ok=True)
        try:
            run(["bash", str(script)], workspace, course_environment(home))
        except CourseError as error:
            raise CourseError(f"{script.parent.name}/{script.name}: {error}") from error


def _own_files(folder: Path) -> list[Path]:
    kept = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return [path for path in kept if path.relative_to(folder).as_posix() != "expect.toml"]


def _lay_over(source: Path, target: Path) -> None:
    if source.is_dir():
        copytree(
            source, target, dirs_exist_ok=True, symlinks=True, ignore=ignore_patterns("__pycache__", *OWN)
        )


def _lay_cells_over(answer: Answer, target: Path, notebooks: list[str]) -> None:
    """Put an answer's cells into the master's notebooks; it may hold only those that differ."""
    for path in notebooks:
        if (text := target / path).is_file():
            notebook = target / notebook_path(path)
            place = f"{answer.title}/{path}"
            notebook.write_bytes(overlaid(place, notebook.read_bytes(), text.read_text(encoding="utf-8")))
            text.unlink()


def _fails(lab: Lab, folder: Path) -> dict[str, str]:
    file = folder / "expect.toml"
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{file}: a wrong answer says what it fails, and this one cannot be read ({error}). Write "
            '`[fails]` and a line `check_id = "misconception"`.'
        ) from error
    fails = data.get("fails")
    if data.keys() != {"fails"} or not isinstance(fails, dict) or not fails:
        raise CourseError(f'{file}: write one table `[fails]` with lines like `check_id = "misconception"`.')
    for name in fails:
        try:
            lab.check(name)
        except CourseError as error:
            raise CourseError(f"{file}: {error}") from error
    return {name: str(value) for name, value in fails.items()}
