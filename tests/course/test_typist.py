"""What a page shows for a cell is typed into that cell, and nothing else of the notebook changes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.course.typist import typed, write
from tests.docs.replay import read_steps

COURSE = Path(__file__).parent.parent.parent
PAGE = """# A page

??? example "Filled in"
    ```python title="Count"
    def count(rows):
        number = len(rows)

        return number
    ```

```python
not_typed = 1
```
"""


def test_only_blocks_with_a_title_become_commands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(typed(PAGE, "n.ipynb"))
    [step] = read_steps(page)
    assert "not_typed" not in step.command
    assert step.command.startswith("python -m tests.course.typist n.ipynb 'Count' <<'CELL'")


def test_the_command_replaces_the_cell_of_that_title(tmp_path: Path) -> None:
    cells = [{"metadata": {"name": name}, "source": ["pass"]} for name in ("Read", "Count")]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    page = tmp_path / "page.md"
    page.write_text(typed(PAGE, "n.ipynb"))
    [step] = read_steps(page)
    command = step.command.replace("python ", f"{sys.executable} ", 1)
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env={"PYTHONPATH": str(COURSE)}, check=True)
    read, count = json.loads((tmp_path / "n.ipynb").read_text())["cells"]
    assert read["source"] == ["pass"]
    assert "".join(count["source"]) == "def count(rows):\n    number = len(rows)\n\n    return number"


def test_a_title_that_no_cell_has_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": []}))
    with pytest.raises(ValueError, match="not enough values"):
        write(tmp_path / "n.ipynb", "Count", "pass")
