"""A judge that has done its imports and forks one judge for each submission.

    with WarmJudge(lab, "bubblewrap") as warm:
        judge(lab, work, hidden=True, box="bubblewrap", warm=warm)

Whatever happens to the template, a submission is judged: by a cold judge when there is no other.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from grader.boxes.warm import Command, Template, TemplateGone
from grader.manifest import Lab
from grader.starter import ONE_THREAD

JUDGE = [sys.executable, "-P", "-m", "grader.judge"]


class WarmJudge:
    """A template of judges for one lab and one box, with templates of boxes. Safe to use in threads."""

    def __init__(self, lab: Lab, box: str = "local") -> None:
        self._lab = lab
        self._box = box
        self._lock = threading.Lock()
        self._template: Template | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the template; its imports go on beside what is done meanwhile."""
        with self._lock:
            if self._template is None:
                self._template = Template(self._command)

    def run(self, facts: Mapping[str, Any], timeout_s: float) -> tuple[int, bytes] | None:
        """Exit code and last words of a judge forked for these facts; None when it was lost.

        Raises:
            TimeoutError: it took longer, and was killed.
        """
        with tempfile.TemporaryFile() as said:
            try:
                with self._lock:
                    if self._template is None:
                        self._template = Template(self._command)
                    self._template.revive()
                    fork = self._template.fork(facts, [said.fileno()])
            except (TemplateGone, OSError):
                return None
            try:
                code, _ = fork.wait(timeout_s)
            except TimeoutError:
                fork.kill()
                fork.wait(10)
                raise
            said.seek(0)
            return None if fork.is_lost else (code, said.read())

    def close(self) -> None:
        """End it, and every judge and box that was forked from it."""
        with self._lock:
            if self._template is not None:
                self._template.close()
                self._template = None

    def _command(self, line: int, hello: int) -> Command:
        words = [*JUDGE, "--template", self._box, str(line), str(hello), *self._lab.preload]
        return Command(words, judge_environment() | {"TMPDIR": tempfile.gettempdir()})


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
