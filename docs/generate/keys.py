"""Tables of the manifest's keys, read from the types that read the manifest: they cannot fall behind."""

import re
import types
import typing

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from grader.manifest import Check, Lab, Limits, Task

TABLES: dict[str, type[BaseModel]] = {"lab": Lab, "limits": Limits, "task": Task, "check": Check}
WORDS = {
    "StrictStr": "text",
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
}
_PLACE = re.compile(r"^<!-- keys: (\w+) -->$", re.MULTILINE)


def fill(page: str) -> str:
    """The page with every `<!-- keys: lab -->` replaced by that table.

    Raises:
        KeyError: no such table.
    """
    return _PLACE.sub(lambda place: keys_table(TABLES[place[1]]), page)


def keys_table(table: type[BaseModel]) -> str:
    """Markdown rows: key, type, default, meaning."""
    rows = [_row(name, field) for name, field in table.model_fields.items() if not field.exclude]
    return "\n".join(["| Key | Type | If left out | Meaning |", "|---|---|---|---|", *rows])


def _row(name: str, field: FieldInfo) -> str:
    sample = f" For example `{_cell(str(field.examples[0]))}`." if field.examples else ""
    meaning = _cell(field.description or "") + sample
    return f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.default
    if isinstance(value, BaseModel):
        return "as below"
    return "none" if value in ((), None) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(annotation: object) -> str:
    """The type in an author's words."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(parts[0])
    if origin in (types.UnionType, typing.Union):
        return (
            "number" if float in _flat(parts) else " or ".join(_type(p) for p in parts if p is not type(None))
        )
    if origin is tuple:
        return f"list of {_plural(_type(parts[0]))}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return WORDS[annotation.__name__] if isinstance(annotation, type) else str(annotation)


def _flat(parts: tuple[object, ...]) -> list[object]:
    """The plain types inside unions and annotations."""
    flat: list[object] = []
    for part in parts:
        inner = typing.get_args(part)
        flat += _flat(inner) if inner else [part]
    return flat


def _plural(word: str) -> str:
    if word.startswith("list of "):
        return "lists of " + word.removeprefix("list of ")
    return {"text": "texts", "table": "tables"}.get(word, word + "s")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
