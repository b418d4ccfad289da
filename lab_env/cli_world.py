"""`lab world`: Tiffin's world, where the labs' data comes from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab_env.errors import LabError
from lab_env.replay.command import replay
from lab_env.screen import Screen, count

if TYPE_CHECKING:
    from lab_env.world import Incident, Scenario

app = typer.Typer(help="Tiffin's world, where the labs' data comes from.", no_args_is_help=True)
app.command()(replay)

HALF_YEAR = 182
FirstDay = Annotated[int, typer.Option(min=0, help="The first day, counted from the world's start.")]
Seed = Annotated[int | None, typer.Option(help="Another seed is another city.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for tools.")]


@app.command("list")
def list_scenarios(as_json: Json = False) -> None:
    """List the scenarios: the courses of events that the world can take."""
    from lab_env.world import SCENARIOS

    screen = Screen()
    if as_json:
        screen.json([{"name": each.name, "says": each.says} for each in SCENARIOS.values()])
        return
    screen.table(["scenario", "what happens"], [[each.name, each.says] for each in SCENARIOS.values()])


@app.command()
def describe(
    scenario: Annotated[str, typer.Argument(help="Its name, as `lab world list` has it.")],
    days: Annotated[int, typer.Option(min=1, help="How far the timeline goes.")] = 180,
    as_json: Json = False,
) -> None:
    """Describe a scenario: its timeline, and of each incident how to tell it and what to do."""
    from lab_env.world import WorldError
    from lab_env.world.scenarios import find_scenario

    screen = Screen()
    try:
        found = find_scenario(scenario)
    except WorldError as error:
        raise LabError(str(error)) from error
    if as_json:
        screen.json(
            {
                "name": found.name,
                "says": found.says,
                "incidents": [facts(each, days) for each in found.incidents],
            }
        )
        return
    screen.say(f"{found.name}: {found.says}")
    if found.incidents:
        screen.say(timeline(found, days))
    for incident in found.incidents:
        screen.say()
        screen.say(f"{incident.name}: {incident.says}")
        screen.table(["what", "of it"], _rows(incident))


def _rows(incident: "Incident") -> list[list[str]]:
    return [
        ["moves", f"{incident.kind}: {', '.join(incident.touches)}"],
        ["size", f"{incident.size:g}, {incident.unit}"],
        ["told by", incident.told_by],
        ["right", incident.advice],
        *(["wrong", f"{mistake}: {why}"] for mistake, why in incident.wrong),
    ]


def facts(incident: "Incident", days: int) -> dict[str, Any]:
    """An incident as JSON: its numbers, the days it holds, and what everyone should know about it."""
    holds = incident.active_days(0, days)
    return {
        "name": incident.name,
        "says": incident.says,
        "kind": str(incident.kind),
        "touches": incident.touches,
        "start": incident.start,
        "days": incident.days,
        "ramp_days": incident.ramp_days,
        "every": incident.every,
        "size": incident.size,
        "unit": incident.unit,
        "holds": {"first": holds[0], "last": holds[-1], "days": len(holds)} if holds else None,
        "told_by": incident.told_by,
        "right": [str(action) for action in incident.right],
        "advice": incident.advice,
        "wrong": {str(mistake): why for mistake, why in incident.wrong},
    }


def timeline(scenario: "Scenario", days: int) -> str:
    """A line per incident and a sign per ten days: `.` quiet, `~` in part, `#` in full on all of them."""
    width = max(len(each.name) for each in scenario.incidents)
    lines = [f"{'':{width}}  a sign is ten days, the last one ends before day {-(-days // 10) * 10}"]
    for incident in scenario.incidents:
        signs = ""
        for first in range(0, days, 10):
            strengths = [incident.strength(day) for day in range(first, first + 10)]
            signs += "#" if min(strengths) == 1 else "~" if max(strengths) else "."
        lines.append(f"{incident.name:{width}}  {signs}")
    return "\n".join(lines)


@app.command()
def write(
    path: Annotated[Path, typer.Argument(help="The file to write; it ends in .parquet or .csv.")],
    table: Annotated[str, typer.Option(help="What of it: orders, demand or payments.")] = "orders",
    scenario: Annotated[str, typer.Option(help="What happens in it.")] = "monsoon",
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 90,
    first_day: FirstDay = 0,
    seed: Seed = None,
    orders_per_day: Annotated[
        float | None, typer.Option(help="The size of the sample; Tiffin has 40,000.")
    ] = None,
) -> None:
    """Write some days of orders, demand or payments to a file, whole or not at all."""
    from lab_env.world import SEED, WorldError
    from lab_env.world import write as write_table

    if path.is_dir():
        raise LabError(f"{path} is a folder. Name the file to write, like {path / f'{table}.parquet'}.")
    try:
        rows = write_table(
            path,
            table=table,
            scenario=scenario,
            seed=SEED if seed is None else seed,
            first_day=first_day,
            days=days,
            orders_per_day=orders_per_day,
        )
    except WorldError as error:  # the world imports nothing of ours, so its error is no LabError
        raise LabError(str(error)) from error
    what = {"orders": "order", "payments": "payment"}.get(table, "row")
    Screen().say(f"{path}: {count(rows, what)}, days {first_day} to {first_day + days - 1} of `{scenario}`.")


@app.command()
def log(
    folder: Annotated[Path, typer.Argument(help="The folder to write predictions and labels into.")],
    scenario: Annotated[str, typer.Option(help="What happens in it.")] = "quiet",
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 90,
    first_day: FirstDay = 0,
    seed: Seed = None,
    orders_per_day: Annotated[
        float | None, typer.Option(help="The size of the sample; Tiffin has 40,000.")
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Whose answers: of a service of yours, http://127.0.0.1:8080."),
    ] = None,
) -> None:
    """Write the prediction log of some days, and the labels that had come on the last evening."""
    from lab_env.replay.asked import asked_log
    from lab_env.world import SEED, World, WorldError
    from lab_env.world.prediction_log import prediction_log, write_prediction_log

    rate = {} if orders_per_day is None else {"orders_per_day": orders_per_day}
    try:
        world = World(SEED if seed is None else seed, scenario, **rate)
        found = (
            asked_log(world, first_day, days, service) if service else prediction_log(world, first_day, days)
        )
        predictions, labels = write_prediction_log(folder, found)
    except WorldError as error:
        raise LabError(str(error)) from error
    Screen().say(
        f"{folder}: {count(predictions, 'prediction')}, {count(labels, 'label')},"
        f" days {first_day} to {first_day + days - 1} of `{scenario}`"
        + (f", answered by {service}." if service else ".")
    )


@app.command()
def flights(
    folder: Annotated[Path, typer.Argument(help="The folder to write predictions and labels into.")],
    days: Annotated[int, typer.Option(min=1, help="How many days of 2013.")] = 365,
    first_day: FirstDay = 0,
) -> None:
    """Write real flights as a prediction log: the timetable promised, and the gate tells."""
    from lab_env.flights import Flights, flight_log
    from lab_env.world import WorldError
    from lab_env.world.prediction_log import write_prediction_log

    try:
        predictions, labels = write_prediction_log(folder, flight_log(Flights(), first_day, days))
    except WorldError as error:
        raise LabError(str(error)) from error
    Screen().say(
        f"{folder}: {count(predictions, 'flight')}, {count(labels, 'arrival')}, days {first_day} to"
        f" {first_day + days - 1} of 2013."
    )


@app.command()
def floor(
    path: Annotated[Path, typer.Argument(help="The file to write; it ends in .csv or .parquet.")],
    problem: Annotated[str, typer.Option(help="Of what: delivery, demand or fraud.")] = "delivery",
    scenario: Annotated[str, typer.Option(help="What happens.")] = "monsoon",
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 14,
    first_day: FirstDay = 0,
    seed: Seed = None,
    orders_per_day: Annotated[
        float | None, typer.Option(help="The size of the sample; Tiffin has 40,000.")
    ] = None,
) -> None:
    """Write the error that no model can beat, a row per day, to a file."""
    from lab_env.world import SEED, World, WorldError, floors
    from lab_env.world.tables import write_columns

    rate = {} if orders_per_day is None else {"orders_per_day": orders_per_day}
    try:
        world = World(SEED if seed is None else seed, scenario, **rate)
        write_columns(path, floors(world, problem, first_day, days))
    except WorldError as error:
        raise LabError(str(error)) from error
    Screen().say(
        f"{path}: the floor of {problem}, days {first_day} to {first_day + days - 1} of `{scenario}`."
    )


@app.command()
def draw(
    path: Annotated[Path, typer.Argument(help="The file to write; it ends in .svg.")],
    scenario: Annotated[str, typer.Option(help="What happens in it.")] = "monsoon",
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 75,
    first_day: FirstDay = 60,
    seed: Seed = None,
) -> None:
    """Draw what an operator sees of some days: what moves, and the error of a model that knows quiet days."""
    from lab_env.world import SEED, World, WorldError
    from lab_env.world.dashboards import picture
    from lab_env.world.tables import write_whole

    if path.suffix != ".svg":
        raise LabError(f"{path.name} does not end in .svg. A picture is SVG: name it like {path.stem}.svg.")
    try:
        world = World(SEED if seed is None else seed, scenario, orders_per_day=1000)
        text = picture(world, first_day, days, alone=True)
    except WorldError as error:
        raise LabError(str(error)) from error
    write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))
    Screen().say(f"{path}: days {first_day} to {first_day + days - 1} of `{scenario}`. Open it in a browser.")


@app.command()
def records(
    folder: Annotated[Path, typer.Argument(help="The folder to write the tables into.")],
) -> None:
    """Write what was seen in three incidents, a row per morning, while nobody acted."""
    from lab_env.rehearsal import write_records

    for path in write_records(folder):
        Screen().say(f"{path}: a recorded incident.")


@app.command()
def live(
    policy: Annotated[Path, typer.Argument(help="The file with your function `respond`.")],
    scenario: Annotated[str, typer.Option(help="What happens.")] = "new-bridge",
    seed: Seed = None,
    days: Annotated[int, typer.Option(min=5, max=HALF_YEAR, help="How many days, from day 80 on.")] = 36,
    draw: Annotated[Path | None, typer.Option(help="Also draw it, to a file that ends in .svg.")] = None,
) -> None:
    """Live through a scenario with a policy, and compare with doing nothing and with the best there is."""
    from lab_env.living import SAID, UnknownAction
    from lab_env.rehearsal import picture, policy_in, rehearse
    from lab_env.world import SEED, WorldError
    from lab_env.world.tables import write_whole

    try:
        life = rehearse(policy_in(policy), scenario, SEED if seed is None else seed, days)
    except (WorldError, UnknownAction) as error:
        raise LabError(str(error)) from error
    screen = Screen()
    acts = ", ".join(f"{day} {SAID[action]}" for day, action in life.actions) or "none"
    screen.say(f"{scenario}, days 80 to {79 + days}. Actions: {acts}.")
    screen.say(f"Regret: {life.regret:,.0f} euros; of doing nothing: {life.of_nothing:,.0f} euros.")
    for mistake in life.mistakes()[:3]:
        screen.say(
            f"Day {mistake.day}: {mistake.did} costs {mistake.euros:,.0f} euros more than {mistake.better}."
            f" {mistake.why}"
        )
    if draw is not None:
        if draw.suffix != ".svg":
            raise LabError(
                f"{draw.name} does not end in .svg. A picture is SVG: name it like {draw.stem}.svg."
            )
        text = picture(life)
        write_whole(draw, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))
        screen.say(f"{draw}: open it in a browser.")
