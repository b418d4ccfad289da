"""A judge that has done its imports and forks one judge for each submission.

    with WarmJudge(lab, "bubblewrap") as warm:
        judge(lab, work, hidden=True, box="bubblewrap", warm=warm)

Whatever happens to the template, a submission is judged: by a cold judge when there is no other.
"""

import ast
import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

from grader.boxes.local import local_template
from grader.boxes.warm import Command, Template, TemplateGone
from grader.manifest import Lab
from grader.snapshot import is_cache
from grader.starter import ONE_THREAD

JUDGE = [sys.executable, "-P", "-m", "grader.judge"]


class WarmJudge:
    """A template of judges for one lab and one box, with templates of boxes. Safe to use in threads.

    It starts with the first submission, or with `start`. One whose boxes have imported nothing serves what
    runs no learner code, until there is one with the lab's `preload`: that serves all.
    """

    def __init__(self, lab: Lab, box: str = "local") -> None:
        self._lab = lab
        self._box = box
        self._lock = threading.Lock()
        self._templates: dict[tuple[str, ...], Template] = {}  # by what their boxes have imported
        self._stamps = self._seen = _stamps(lab)
        self._imports = check_imports(lab)
        self.forked = 0  # judges that came to their end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the template; its imports go on beside what is done meanwhile."""
        with self._lock:
            self._begun(self._lab.imports)

    def changed(self) -> str:
        """A file of the lab, the engine or the environment that is not as it was at the start; else empty."""
        self._seen = _stamps(self._lab)
        differ = {*self._seen.items()} ^ {*self._stamps.items()}
        return min((path for path, _ in differ), default="")

    def settle(self) -> None:
        """Take the files as `changed` saw them for those that it started with; a later save still counts."""
        self._stamps = self._seen

    def renew(self, lab: Lab) -> None:
        """Begin again with the files as they are now, for the lab as it is now."""
        self.close()
        self._lab = lab
        self._stamps = self._seen
        self._imports = check_imports(lab)
        self.start()

    def run(self, facts: Mapping[str, Any], timeout_s: float) -> tuple[int, bytes] | None:
        """Exit code and last words of a judge forked for these facts; None when it was lost or killed.

        Raises:
            TimeoutError: it took longer, and was killed.
        """
        with tempfile.TemporaryFile() as said:
            try:
                with self._lock:
                    fork = self._ready(facts["checks"]).fork(facts, [said.fileno()])
            except (TemplateGone, OSError):
                return None
            try:
                code, _ = fork.wait(timeout_s)
            except TimeoutError:
                fork.kill()
                fork.wait(10)
                raise
            if (
                fork.is_lost or code < 0
            ):  # ended with its template, or by a signal: a fork may not survive all
                return None
            self.forked += 1
            said.seek(0)
            return code, said.read()

    def close(self) -> None:
        """End it, and every judge and box that was forked from it."""
        with self._lock:
            while self._templates:
                self._templates.popitem()[1].close()

    def _ready(self, checks: Collection[str]) -> Template:
        preload = self._lab.imports
        if preload not in self._templates and not runs_work(self._lab, checks):
            preload = ()  # nothing of the learner's waits for an import
        template = self._begun(preload)
        template.revive()
        if self._imports and template.hello is not None and template.hello.refused:
            self._imports = []  # a check may import what a template must not
            self._templates.pop(preload).close()
            template = self._begun(preload)
        return template

    def _begun(self, preload: tuple[str, ...]) -> Template:
        if preload not in self._templates:
            self._templates[preload] = Template(partial(self._command, preload))
        return self._templates[preload]

    def _command(self, preload: Collection[str], line: int, hello: int) -> Command:
        lists = [",".join(preload), ",".join(self._imports)]
        words = [*JUDGE, "--template", str(self._lab.folder), self._box, str(line), str(hello), *lists]
        return Command(words, judge_environment() | {"TMPDIR": tempfile.gettempdir()})


def check_imports(lab: Lab) -> list[str]:
    """The modules that the checks import when they are read, by name, in their order. Nothing is run.

    With pandas where learner code has it: tables that it returns are read with it.
    """
    names = dict.fromkeys(name for name in lab.preload if name == "pandas")
    for node in _statements(lab):
        if isinstance(node, ast.Import):
            names |= dict.fromkeys(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names[node.module] = None
    return list(names)


def runs_work(lab: Lab, checks: Collection[str]) -> bool:
    """Whether one of these checks runs learner code: its function asks for `student`."""
    return any(
        node.name.removeprefix("test_") in checks and "student" in {word.arg for word in node.args.args}
        for node in _statements(lab)
        if isinstance(node, ast.FunctionDef)
    )


def _statements(lab: Lab) -> Iterator[ast.stmt]:
    """What stands at the top of the lab's check files; of one that cannot be read, nothing."""
    for folder in (lab.folder / "checks", lab.solutions / "checks"):
        for file in sorted(folder.glob("test_*.py")):
            with suppress(OSError, SyntaxError, ValueError):
                yield from ast.parse(file.read_bytes()).body


def refused_preload(lab: Lab) -> str:
    """Why a module of the lab's `preload` must not be imported beforehand; empty when all may be."""
    if not lab.preload:
        return ""
    template = local_template(lab.preload)
    try:
        refused = template.wait().refused
    except TemplateGone as gone:
        refused = str(gone)
    finally:
        template.close()
    return refused and f"{lab.folder / 'lab.toml'}: preload: {refused}. Take it out of `preload`."


def _stamps(lab: Lab) -> dict[str, tuple[int, int]]:
    """When each file that a warm judge may have read was last changed, and its size."""
    folders = [Path(__file__).parent, lab.folder, lab.solutions / "checks"]
    files = [lab.course / "requirements.lock", lab.course / "pyproject.toml"]
    files += [Path(sysconfig.get_path("purelib")), Path(sys.prefix) / "pyvenv.cfg"]
    for folder in folders:
        found = [(path, path.relative_to(folder).as_posix()) for path in folder.rglob("*")]
        files += [path for path, name in found if not path.is_dir() and not is_cache(name)]
    stamps = {}
    for file in files:
        with suppress(OSError):
            facts = file.stat()
            stamps[str(file)] = (facts.st_mtime_ns, facts.st_size)
    return stamps


def judge_environment() -> dict[str, str]:
    """The judge's variables: the engine as it runs here, one thread, no pytest plugins but its own."""
    engine = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, (engine, os.environ.get("PYTHONPATH", ""))))
    return (
        os.environ
        | ONE_THREAD
        | {
            "PYTHONPATH": path,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "",
            "PYTEST_PLUGINS": "",
        }
    )
