"""`lab world replay`: parse, call, print."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab_env.screen import Screen, count

if TYPE_CHECKING:
    from lab_env.world import Columns

STOPPED = 130
NOTICEABLE_S = 0.1


def replay(
    to: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The service: http://127.0.0.1:8000 or unix:/tmp/eta.sock.")
    ],
    scenario: Annotated[str, typer.Option(help="What happens in it.")] = "monsoon",
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 1,
    first_day: Annotated[int, typer.Option(min=0, help="The first day, counted from the world's start.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Another seed is another city.")] = None,
    orders_per_day: Annotated[
        float | None, typer.Option(help="The size of the sample; Tiffin has 40,000.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option(help="Simulated days per second; without it, as fast as it takes.")
    ] = None,
    log: Annotated[Path, typer.Option(help="The file to keep, or to go on with.")] = Path("replay.db"),
    workers: Annotated[int, typer.Option(min=1, max=64, help="Requests in flight, at most.")] = 4,
    timeout: Annotated[float, typer.Option(help="Seconds after which a request has no answer.")] = 5.0,
    patience: Annotated[float, typer.Option(help="Seconds without any good answer, then it stops.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Send the orders of some days to a service, and the truth when it is known; goes on with its log."""
    from lab_env.replay import report
    from lab_env.replay.run import Rules
    from lab_env.replay.run import replay as send

    screen = Screen()
    rules = Rules(speed=speed, workers=workers, timeout_s=timeout, patience_s=patience)
    run, columns, best = _days(scenario, seed, first_day, days, orders_per_day)
    try:
        sent = send(
            columns,
            to=to,
            log=log,
            run=run,
            rules=rules,
            on_day=lambda day: None if as_json else screen.say(f"Day {day} is through."),
        )
    except KeyboardInterrupt:
        screen.say(f"Stopped. {log} is whole: the same command goes on from there.")
        raise typer.Exit(STOPPED) from None
    found = report.read_report(log, best)
    if as_json:
        screen.json(found.to_dict())
        return
    screen.say(f"{count(sent.orders, 'order')} sent in {sent.seconds:.1f} s; the log is {log}.")
    if sent.behind_s > NOTICEABLE_S:
        screen.say(
            f"The service could not keep up: it fell {sent.behind_s:.1f} s behind the speed asked for."
        )
    screen.say()
    report.show(screen, found)


def _days(
    scenario: str, seed: int | None, first_day: int, days: int, orders_per_day: float | None
) -> tuple[dict[str, str], "Columns", dict[int, float]]:
    """The run's facts, its orders, and each day's floor."""
    from lab_env.errors import LabError
    from lab_env.world import SEED, World, WorldError, floors
    from lab_env.world.orders import ORDERS_PER_DAY

    used = SEED if seed is None else seed
    rate = ORDERS_PER_DAY if orders_per_day is None else orders_per_day
    try:
        world = World(used, scenario, orders_per_day=rate)
        columns, best = world.orders(first_day, days), floors(world, "delivery", first_day, days)
    except WorldError as error:  # the world imports nothing of ours, so its error is no LabError
        raise LabError(str(error)) from error
    run = {
        "scenario": scenario,
        "seed": f"{used}",
        "first day": f"{first_day}",
        "days": f"{days}",
        "orders per day": f"{rate:g}",
    }
    return run, columns, dict(zip(best["day"].tolist(), best["mae"].tolist(), strict=True))
