"""The data dictionary's page, made of the schema that the world's tables are tested against."""

from lab_env.world.schema import TABLES, Column, Known, Role, Table

OPENING = """---
title: Data dictionary
---

# Data dictionary

Every column of Tiffin's tables, for whoever writes a data contract or a feature. It is read from
`lab_env/world/schema.py` when this site is built, and `tests/lab_env/world/test_schema.py` holds that against
the tables that the world makes. [The world](../world.md) says where the numbers come from.

Times are in days since the world began, never a date: `41.75` is six in the evening of day 41, and day 0 is a
Monday. Values are what is plausible in any scenario; what lies beyond came from a broken feed. *Later* means
that nobody can know it when the model is asked: a feature made of it is a leak. Everything else is known at
that moment.
"""
ROLES = {
    Role.NAME: "name",
    Role.TIME: "time",
    Role.FEATURE: "feature",
    Role.RULE: "decided by a rule",
    Role.LABEL: "**label**",
}


def dictionary_page() -> str:
    """Markdown of the page."""
    return "\n".join([OPENING, *(_section(table) for table in TABLES.values())])


def _section(table: Table) -> str:
    rows = "\n".join(_row(column) for column in table)
    return (
        f"## {table.name} {{#{table.name}}}\n\nA row is {table.row}. {table.asks}\n\n"
        f"| Column | Values | Meaning |\n|---|---|---|\n{rows}\n"
    )


def _row(column: Column) -> str:
    role = ROLES[column.role] + (", later" if column.known is Known.LATER else "")
    return f"| `{column.name}`<br>{role} | {_range(column)}<br>*{column.type}* | {column.means} |"


def _range(column: Column) -> str:
    if column.range is None:
        return "yes or no" if column.type == "bool" else "words"
    low, high = column.range
    if column.role not in (Role.FEATURE, Role.LABEL):
        return f"from {low:g}"
    return f"{low:g} to {high:,.0f} {column.unit}".rstrip().replace(" ", "&nbsp;")
