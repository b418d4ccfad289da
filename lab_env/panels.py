"""A Grafana dashboard as code: what is wrong with its JSON, and what each of its panels would show.

Grafana comes from no package index. What usually goes wrong is seen without it: the form of the JSON, panels
that lie on each other, a data source of one machine alone, and queries, which promtool answers.

    python dashboard.py | python -m lab_env.panels

The form is Grafana's classic dashboard model: <https://grafana.com/docs/reference/dashboard/>.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from grader.errors import ToolMissing
from lab_env.promtool import require_promtool

KINDS = ("none", "feed", "labels", "relation", "input")
SILENT = "silence"
ASKED = dict.fromkeys(KINDS, "1d20h") | {SILENT: "3d20h"}
"""When a panel is looked at: 20 hours after the day's sample, or two days after the last one."""

MOST = 50  # queries: each is told by the minute at which it is asked
FIRST = "vector(1)"  # always answered, so that a file's part of what promtool says always begins
BUILT_IN = {"__interval": "1h", "__rate_interval": "1h", "__range": "30d"}
ASKS_NOTHING = ("alertlist", "annolist", "dashlist", "news", "row", "text")
SHOWS = (
    *("timeseries", "stat", "state-timeline", "status-history", "table", "gauge", "bargauge", "barchart"),
    *("candlestick", "canvas", "datagrid", "flamegraph", "geomap", "heatmap", "histogram", "logs"),
    *("nodeGraph", "piechart", "traces", "trend", "xychart"),
)

Words = Annotated[str, Field(min_length=1)]


class PanelsError(Exception):
    """A dashboard that Grafana would not show as it was meant; the message names the place."""


class Place(BaseModel):
    """Where a panel lies on the grid, which is 24 wide."""

    x: Annotated[int, Field(ge=0)]
    y: Annotated[int, Field(ge=0)]
    w: Annotated[int, Field(ge=1)]
    h: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _in_the_grid(self) -> "Place":
        if self.x + self.w > 24:
            raise ValueError(f"x + w is {self.x + self.w}, and the grid is 24 wide")
        return self

    def overlaps(self, other: "Place") -> bool:
        """Whether the two share a part of the grid."""
        beside = self.x + self.w <= other.x or other.x + other.w <= self.x
        return not (beside or self.y + self.h <= other.y or other.y + other.h <= self.y)


class Source(BaseModel):
    """Which data source is asked."""

    type: Literal["prometheus"]
    uid: Words


class Target(BaseModel):
    """One query of a panel."""

    ref: Words = Field(alias="refId")
    expr: Words


class Panel(BaseModel):
    """A panel; one that asks nothing, such as a text, needs no data source."""

    id: Annotated[int, Field(gt=0)]
    type: str
    title: Words
    place: Place = Field(alias="gridPos")
    datasource: Source | None = None
    targets: list[Target] = []

    @model_validator(mode="after")
    def _asks(self) -> "Panel":
        if self.type not in (*ASKS_NOTHING, *SHOWS):
            raise ValueError(
                f"Grafana brings no panel `{self.type}`; the usual ones are {', '.join(SHOWS[:8])}"
            )
        if self.type in SHOWS and not self.targets:
            raise ValueError("it has no `targets`, so it asks nothing")
        if self.type in SHOWS and self.datasource is None:
            raise ValueError("it has no `datasource`; a default one is another on each machine")
        if len({target.ref for target in self.targets}) < len(self.targets):
            raise ValueError("two of its targets have the same `refId`")
        return self


class Variable(BaseModel):
    """A variable of the dashboard."""

    name: Words
    type: str
    query: Any = None


class Variables(BaseModel):
    """What stands under `templating`."""

    variables: list[Variable] = Field([], alias="list")


class Dashboard(BaseModel):
    """A dashboard in the classic model."""

    uid: Annotated[str, Field(min_length=1, max_length=40)]
    title: Words
    version: Annotated[int, Field(alias="schemaVersion", ge=30)]
    panels: Annotated[list[Panel], Field(min_length=1)]
    templating: Variables = Variables()

    @model_validator(mode="after")
    def _holds_together(self) -> "Dashboard":
        for number, panel in enumerate(self.panels):
            for other in self.panels[:number]:
                if panel.id == other.id:
                    raise ValueError(f"`{other.title}` and `{panel.title}` have the same id, {panel.id}")
                if panel.place.overlaps(other.place):
                    raise ValueError(f"`{other.title}` and `{panel.title}` lie on each other")
            if panel.datasource is not None:
                self._knows(panel.title, panel.datasource.uid)
        return self

    def _knows(self, title: str, uid: str) -> None:
        name = re.fullmatch(r"\$(\w+)|\$\{(\w+)\}", uid)
        if name is None:
            raise ValueError(
                f"`{title}` asks the data source `{uid}`, which exists on the machine where that was copied "
                "from. Name a variable of the dashboard: `${datasource}`"
            )
        wanted = name[1] or name[2]
        if not any(
            one.name == wanted and one.type == "datasource" and one.query == "prometheus"
            for one in self.templating.variables
        ):
            raise ValueError(
                f"`{title}` asks the data source `{uid}`, and `templating` has no variable `{wanted}` of "
                "type `datasource` with the query `prometheus`"
            )

    def queries(self) -> list[tuple[str, str]]:
        """Each query with the title of its panel, in order, as Prometheus would be asked it.

        Raises:
            PanelsError: there are too many, or one asks for a variable of the dashboard.
        """
        found = [(panel.title, self._asked(panel, one)) for panel in self.panels for one in panel.targets]
        if len(found) > MOST:
            raise PanelsError(f"The dashboard has {len(found)} queries. Nobody reads more than {MOST}.")
        return found

    def _asked(self, panel: Panel, target: Target) -> str:
        def value(name: re.Match[str]) -> str:
            if (name[1] or name[2]) not in BUILT_IN:
                raise PanelsError(
                    f"`{panel.title}` asks for `{name[0]}`. What a variable of a dashboard holds is chosen "
                    f"in Grafana: leave it out of the query, or write ${', $'.join(BUILT_IN)}."
                )
            return BUILT_IN[name[1] or name[2]]

        return re.sub(r"\$(\w+)|\$\{(\w+)\}", value, target.expr)


def read_dashboard(text: str) -> Dashboard:
    """The dashboard that a JSON text describes.

    Raises:
        PanelsError: it is no JSON, has another form, or would not show what it should on another machine.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PanelsError(f"What came is no JSON: {error}. It began with {text[:60]!r}.") from error
    if isinstance(found, dict) and "spec" in found:
        raise PanelsError(
            "This is a resource with a `spec`. Export the dashboard in Grafana's classic model."
        )
    try:
        return Dashboard.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = "".join(f"{part}." for part in first["loc"]).removesuffix(".")
        said = first["msg"].removeprefix("Value error, ")
        raise PanelsError(f"{place}: {said}." if place else f"{said}.") from error


def panel_tests(queries: Sequence[str]) -> dict[str, bytes]:
    """Files for `promtool test rules`, in the order of `ASKED`, that make it say what each query answers.

    It says that of a query whose answer is not the expected one, and here none is expected.
    """
    files = {}
    for what, moment in ASKED.items():
        told = what if what in KINDS else "none"
        series = [{"series": "tiffin_monitor_day", "values": "90 91"}]
        for kind in KINDS:
            values = f"{int(kind == 'none')} {int(kind == told)}"
            series.append({"series": f"tiffin_monitor_kind{{kind='{kind}'}}", "values": values})
        asked = [{"expr": FIRST, "eval_time": "1m"}]
        asked += [{"expr": query, "eval_time": f"{moment}{at}m"} for at, query in enumerate(queries, 1)]
        test = {"interval": "1d", "input_series": series, "promql_expr_test": asked}
        files[f"panels_{what}.yml"] = json.dumps({"evaluation_interval": "1h", "tests": [test]}).encode()
    return files


def answers(said: str, queries: int) -> dict[str, list[str]]:
    """What each query answered in each situation of `ASKED`, read from what promtool said of `panel_tests`.

    An empty answer is "". One that cannot be computed begins with "error: ".

    Raises:
        PanelsError: promtool said something else.
    """
    found: dict[str, list[str]] = {}
    situations = iter(ASKED)
    for expression, time, rest in _failures(said):
        if expression == FIRST and time == "1m":
            found[next(situations, "")] = [""] * queries
        elif found:
            [*_, newest] = found.values()
            newest[int(re.sub(r".*h|m", "", time)) - 1] = rest
    if list(found) != list(ASKED):
        raise PanelsError(f"promtool did not answer: {said.strip()[-300:] or 'it said nothing'}")
    return found


def _failures(said: str) -> Iterator[tuple[str, str, str]]:
    """Each failed test that promtool tells of: the query, the time, and what came."""
    header = re.compile(r' +expr: "((?:[^"\\]|\\.)*)", time: (\w+),(?: err: (.*))?')
    current: list[str] = []
    for row in [*said.splitlines(), ' expr: "", time: end,']:
        if match := header.fullmatch(row.rstrip()):
            if current:
                yield current[0], current[1], current[2]
            current = [match[1], match[2], f"error: {match[3]}" if match[3] else ""]
        elif current and row.strip().startswith("got:"):
            current[2] = _plain(row.strip().removeprefix("got:").strip())


def _plain(answer: str) -> str:
    """An answer without the name of its series, and with numbers as people write them."""
    unnamed = re.sub(r'__name__="\w+"(, )?', "", answer)
    return re.sub(r"(?<=} )-?\d[\d.]*E[+-]\d+(?=,|$)", lambda number: f"{float(number[0]):g}", unnamed)


def shown(folder: Path, queries: Sequence[str]) -> dict[str, list[str]]:
    """What each query answers in each situation, by the promtool of this machine.

    Raises:
        ToolMissing: there is none.
        PanelsError: it does not answer.
    """
    require_promtool()
    files = panel_tests(queries)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    command = ["promtool", "test", "rules", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return answers(done.stderr + done.stdout, len(queries))


def table(queries: Sequence[tuple[str, str]], found: Mapping[str, Sequence[str]]) -> str:
    """What each panel would show, for a person."""
    lines = ["Looked at 20 hours after the evening's sample, and two days after the last one."]
    for number, (title, query) in enumerate(queries):
        lines += ["", f"{title}: {query}"]
        lines += [f"  {what:9} {said[number] or '(nothing)'}" for what, said in found.items()]
    return "\n".join(lines)


def main() -> None:
    """Read a dashboard from standard input, and print what is wrong with it or what its panels show."""
    if sys.stdin.isatty():
        sys.exit("It reads a dashboard from a pipe: `python dashboard.py | python -m lab_env.panels`.")
    try:
        queries = read_dashboard(sys.stdin.read()).queries()
        with tempfile.TemporaryDirectory() as folder:
            found = shown(Path(folder), [query for _, query in queries])
    except (PanelsError, ToolMissing) as error:
        sys.exit(f"Not yet a dashboard. {error}" if isinstance(error, PanelsError) else str(error))
    print(table(queries, found))


if __name__ == "__main__":
    main()
