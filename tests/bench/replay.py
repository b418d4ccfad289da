"""Orders a second through a replay, beside bare httpx; the service is killed and restarted in the middle."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from lab_env.replay.report import read_report
from lab_env.replay.run import Rules, replay
from lab_env.replay.service import JSON
from lab_env.replay.stream import Stream
from lab_env.world import Columns, World
from tests.lab_env.replay.serving import Serving

ORDERS = 4_000
WORKERS = Rules().workers


def measure() -> None:
    """Print orders a second, the client's share of a core, and what a kill did to the log."""
    columns = {name: values[:ORDERS] for name, values in World().orders(85, 8).items()}
    with TemporaryDirectory(prefix="bench-") as folder:
        serving = Serving(Path(folder))
        serving.start()
        try:
            bare = _bare(Stream(columns), serving.to)
            calm = _replayed(columns, serving, Path(folder, "calm.db"))
            killer = threading.Thread(target=_kill_once, args=(serving, serving.lines()))
            killer.start()
            killed = _replayed(columns, serving, Path(folder, "killed.db"))
            killer.join()
        finally:
            serving.kill()
        for name, (rate, cpu_ms) in (("bare httpx", bare), ("replay", calm), ("replay, one kill", killed)):
            print(f"{name:24} {rate:6.0f} orders/s   {cpu_ms:.2f} ms of the client's core each", end="")
            print(f"   {bare[0] / rate:.2f} times as long as bare")
        _account(columns, Path(folder, "killed.db"))
    print(f"{'load of the machine':24} {os.getloadavg()[0]:6.1f} on {os.cpu_count()} cores")


def _bare(stream: Stream, to: str) -> tuple[float, float]:
    """The same bodies to the same service by httpx alone: nothing logged, no labels, no patience."""

    async def post(client: httpx.AsyncClient, rows: Iterator[int]) -> None:
        for row in rows:
            answer = await client.post("/predict", content=stream.body(row))
            answer.raise_for_status()

    async def all_of_them() -> None:
        rows = iter(range(len(stream)))
        async with httpx.AsyncClient(base_url=to, headers=JSON) as client, asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(post(client, rows))

    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(all_of_them())
    return len(stream) / (time.perf_counter() - began), 1000 * (time.process_time() - cpu) / len(stream)


def _replayed(columns: Columns, serving: Serving, log: Path) -> tuple[float, float]:
    cpu = time.process_time()
    sent = replay(columns, to=serving.to, log=log, run={})
    return sent.orders / sent.seconds, 1000 * (time.process_time() - cpu) / sent.orders


def _kill_once(serving: Serving, seen: int) -> None:
    """When half of the orders and their labels have come, and start it again: a second or two without."""
    while serving.lines() < seen + ORDERS:
        time.sleep(0.2)
    serving.kill()
    serving.start()


def _account(columns: Columns, log: Path) -> None:
    """Every order once, every label once; else this benchmark has failed."""
    report = read_report(log)
    due = sum(len(tick.labels) for tick in Stream(columns).ticks())
    print(
        f"{'after the kill':24} {report.orders:,} of {ORDERS:,} orders, {report.labels:,} of {due:,} labels"
    )
    if (report.answered, report.labels) != (ORDERS, due):
        sys.exit("The replay lost something.")
