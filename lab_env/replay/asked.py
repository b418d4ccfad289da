"""The prediction log of one's own service: what it answers to the orders of some days."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from lab_env.replay.errors import ReplayError
from lab_env.replay.service import Fault, Kind, Prediction, Service, parse_address
from lab_env.replay.stream import Stream
from lab_env.world import Columns, World
from lab_env.world.prediction_log import PredictionLog, prediction_log

AT_ONCE, TIMEOUT_S = 4, 5.0


def asked_log(world: World, first_day: int, days: int, to: str) -> PredictionLog:
    """The log of some days as it stands on the last evening, with the answers of the service at `to`.

    `promised`, `version` and `degraded` are what it said; of an order that it refused (400 or 422) NaN, ""
    and False. The labels are the world's: what a customer is told changes nobody's way to the door.

    Raises:
        WorldError: a day before 0, or no day at all.
        ReplayError: nobody listens at `to`, or an answer is not usable.
    """
    log = prediction_log(world, first_day, days)
    said = asyncio.run(_asked(Stream(world.orders(first_day, days)), to))
    return replace(log, predictions=log.predictions | said)


async def _asked(stream: Stream, to: str) -> Columns:
    said: dict[int, Prediction | None] = {}
    rows = iter(range(len(stream)))
    async with Service(parse_address(to), connections=AT_ONCE, timeout_s=TIMEOUT_S) as service:
        await service.knock()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(_ask(service, stream, rows, said))
        except ExceptionGroup as failed:  # the first ended the others
            raise failed.exceptions[0] from None
    every = [said[row] for row in range(len(stream))]

    def column(of: Callable[[Prediction], object], refused: object, dtype: type) -> np.ndarray:
        return np.array([refused if one is None else of(one) for one in every], dtype=dtype)

    return {
        "promised": column(lambda one: round(one.minutes, 1), np.nan, float),
        "version": column(lambda one: one.model_version, "", str),
        "degraded": column(lambda one: one.degraded, False, bool),
    }


async def _ask(
    service: Service, stream: Stream, rows: Iterator[int], said: dict[int, Prediction | None]
) -> None:
    """Ask about one order after the other; None is what was refused."""
    for row in rows:
        try:
            said[row] = await service.predict(stream.body(row))
        except Fault as fault:
            if fault.kind is not Kind.REFUSED:
                raise ReplayError(
                    f"{service.address.shown}: order {stream.ids[row]}, of day {stream.arrived[row]:.1f}, got"
                    f" no usable answer ({fault}). Nothing was written. Mend the service and run this again."
                ) from fault
            said[row] = None
