"""Types what a page shows into the cell of that title, as a newcomer would.

python -m tests.course.typist first_model.ipynb "Split by time" < code
"""

import json
import re
import sys
from pathlib import Path

BLOCK = re.compile(
    r'^(?P<indent> *)```python title="(?P<title>[^"]+)"\n(?P<code>.*?)^(?P=indent)```\n',
    re.MULTILINE | re.DOTALL,
)


def typed(page: str, notebook: str) -> str:
    """The page with each titled block of Python as the command that types it into the notebook."""

    def command(block: re.Match[str]) -> str:
        indent = block["indent"]
        lines = [line.removeprefix(indent) for line in block["code"].splitlines()]
        words = f"$ python -m tests.course.typist {notebook} '{block['title']}' <<'CELL'"
        shown = [words, *(f"> {line}".rstrip() for line in lines), "> CELL"]
        return "".join(f"{indent}{line}\n" for line in ("```console", *shown, "```"))

    return BLOCK.sub(command, page)


def write(notebook: Path, title: str, code: str) -> None:
    """Replace the source of the one cell with that title."""
    content = json.loads(notebook.read_text())
    [cell] = [cell for cell in content["cells"] if cell["metadata"].get("name") == title]
    cell["source"] = code.rstrip("\n").splitlines(keepends=True)
    notebook.write_text(json.dumps(content))


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], sys.stdin.read())
