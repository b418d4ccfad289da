"""A replay: orders out, predictions back, labels after them when they become known."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_env.replay.errors import ReplayError
from lab_env.replay.log import Answer, Label, Log
from lab_env.replay.service import Address, Fault, Kind, Prediction, Service, parse_address
from lab_env.replay.stream import Stream, Tick
from lab_env.world import Columns

LABELS_AT_ONCE = 500
AWAY = (Kind.UNREACHABLE, Kind.BUSY)
"""Faults that say nothing about the order: the service is not there, or will be back soon."""


@dataclass(frozen=True)
class Rules:
    """How fast, and how patient.

    Attributes:
        speed: simulated days per second; None for as fast as the service takes them.
        workers: requests in flight, at most. A slow service is sent less, not more at once.
        timeout_s: after which a request has no answer.
        patience_s: for how long every request may fail, from one good answer to the next.
        tries: for one order, not counting those that found nobody; then it has failed.
        most_failed: orders, in one run.
    """

    speed: float | None = None
    workers: int = 4
    timeout_s: float = 5.0
    patience_s: float = 30.0
    tries: int = 5
    most_failed: int = 100

    def __post_init__(self) -> None:
        """Refuse what is not above 0.

        Raises:
            ReplayError: names it.
        """
        for name, value in vars(self).items():
            if value is not None and not value > 0:
                raise ReplayError(f"`{name}` is {value}. Take more than 0.")


@dataclass(frozen=True)
class Sent:
    """What one run did.

    Attributes:
        orders: logged by it.
        seconds: that it took.
        behind_s: how far it fell behind the speed that was asked for, at most.
    """

    orders: int
    seconds: float
    behind_s: float


def replay(
    columns: Columns,
    *,
    to: str,
    log: Path,
    run: Mapping[str, str],
    rules: Rules | None = None,
    on_day: Callable[[int], None] | None = None,
) -> Sent:
    """Send every order that the log does not have yet, and deliver every label that comes to be known.

    In each simulated hour the orders go out in the order in which they arrive, several at once. When all
    of them are answered, the labels that became known in that hour follow, and only then the next hour
    begins. So whatever the speed, the service has the same labels when it sees the same order. An order
    that it never answered gets no label.

    Args:
        columns: as `World.orders` gives them.
        to: the service, `http://HOST:PORT` or `unix:PATH`.
        log: the file to keep, or to go on with.
        run: what this is a replay of, for the message when the log is of something else.
        rules: how fast and how patient.
        on_day: called with each day whose orders are through.

    Raises:
        ReplayError: it cannot begin, or the service wore its patience out. The log is whole: the same
            call goes on where this one ended.
    """
    stream, address = Stream(columns), parse_address(to)
    facts = {**run, "orders": f"{len(stream)}", "content": stream.fingerprint()[:16]}
    return asyncio.run(_replay(stream, address, log, facts, rules or Rules(), on_day or _nobody))


async def _replay(
    stream: Stream,
    address: Address,
    path: Path,
    facts: Mapping[str, str],
    rules: Rules,
    on_day: Callable[[int], None],
) -> Sent:
    async with Service(address, connections=rules.workers, timeout_s=rules.timeout_s) as service:
        if not path.exists():
            await service.knock()  # before there is a file
        with Log(path, facts) as log:
            sending = _Sending(stream, service, log, rules)
            return await sending.all(on_day)


class _Sending:
    """One run, from where the log ends."""

    def __init__(self, stream: Stream, service: Service, log: Log, rules: Rules) -> None:
        self._stream, self._service, self._log, self._rules = stream, service, log, rules
        self._logged = {row for (row,) in log.rows("SELECT row FROM answers")}
        answered = log.rows("SELECT order_id FROM answers WHERE outcome = 'answered'")
        self._answered = {order_id for (order_id,) in answered}
        self._delivered = {order_id for (order_id,) in log.rows("SELECT order_id FROM labels")}
        self._pace = _Pace(rules.speed)
        self._silent_since: float | None = None
        self._sent = self._failed = 0

    async def all(self, on_day: Callable[[int], None]) -> Sent:
        """Every hour that has something left to do."""
        began, day = 0.0, -1
        for tick in self._stream.ticks():
            rows = [row for row in tick.orders if row not in self._logged]
            if not rows and not self._due(tick):
                continue
            if not began:
                await self._service.knock()
                began = time.perf_counter()
            if rows and 0 <= day < tick.day:
                on_day(day)
            day = tick.day if rows else day
            await self._hour(tick, rows)
        if day >= 0:
            on_day(day)
        return Sent(self._sent, time.perf_counter() - began if began else 0.0, self._pace.behind_s)

    async def _hour(self, tick: Tick, rows: Sequence[int]) -> None:
        waiting = iter(rows)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._rules.workers, len(rows))):
                    group.create_task(self._work(waiting))
        except ExceptionGroup as failed:  # the first ended the others
            raise failed.exceptions[0] from None
        due = self._due(tick)
        await self._pace.until(tick.ends)
        for start in range(0, len(due), LABELS_AT_ONCE):
            await self._deliver(due[start : start + LABELS_AT_ONCE])

    def _due(self, tick: Tick) -> list[Label]:
        """Labels that are known when the hour ends, of orders that were answered."""
        stream = self._stream
        return [
            Label(stream.ids[row], stream.minutes[row], stream.labelled[row], tick.ends)
            for row in tick.labels
            if stream.ids[row] in self._answered and stream.ids[row] not in self._delivered
        ]

    async def _work(self, rows: Iterator[int]) -> None:
        """Send one order after the other; the next one only when this one is in the log."""
        for row in rows:
            await self._pace.until(self._stream.arrived[row])
            answer = await self._ask(row)
            self._log.answer(answer)
            self._logged.add(row)
            self._sent += 1
            if answer.outcome == "answered":
                self._answered.add(answer.order_id)

    async def _ask(self, row: int) -> Answer:
        """Send an order until there is an answer, or no hope of one."""
        body, arrived = self._stream.body(row), self._stream.arrived[row]
        tries = spent = 0
        while True:
            tries += 1
            began = time.perf_counter()
            try:
                prediction = await self._service.predict(body)
            except Fault as fault:
                self._note(fault, "/predict", arrived)
                if fault.kind is Kind.REFUSED:
                    return self._answer(row, "refused", tries)
                spent += fault.kind not in AWAY
                if spent == self._rules.tries:
                    self._count_failed(fault)
                    return self._answer(row, "failed", tries)
                await _back_off(tries)
            else:
                self._silent_since = None
                return self._answer(row, "answered", tries, prediction, 1000 * (time.perf_counter() - began))

    async def _deliver(self, labels: Sequence[Label]) -> None:
        """Send a batch of labels until the service has taken it."""
        rows = [
            {"order_id": label.order_id, "minutes": label.minutes, "labelled": label.labelled}
            for label in labels
        ]
        body, tries = json.dumps({"labels": rows}).encode(), 0
        while True:
            tries += 1
            try:
                await self._service.learn(body)
            except Fault as fault:
                self._note(fault, "/labels", labels[0].delivered)
                if fault.kind is Kind.REFUSED:
                    raise self._stop(f"POST /labels was refused, {fault.said}") from fault
                await _back_off(tries)
            else:
                self._silent_since = None
                self._log.deliver(labels)
                self._delivered.update(label.order_id for label in labels)
                return

    def _note(self, fault: Fault, path: str, arrived: float) -> None:
        """Log a fault; stop where waiting will not help, or has not helped for too long."""
        self._log.fault(arrived, path, fault.kind, fault.said)
        if fault.kind is Kind.WRONG_DOOR:
            raise self._stop(f"POST {path} brought {fault.said}, which is no service of this kind")
        if fault.kind is Kind.REFUSED:
            self._silent_since = None
            return
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since > self._rules.patience_s:
            raise self._stop(
                f"no usable answer for {self._rules.patience_s:g} s; the last of POST {path}: {fault}"
            )

    def _count_failed(self, fault: Fault) -> None:
        self._failed += 1
        if self._failed > self._rules.most_failed:
            raise self._stop(
                f"{self._failed} orders got no usable answer in {self._rules.tries} tries each; "
                f"the last of POST /predict: {fault}"
            )

    def _stop(self, why: str) -> ReplayError:
        return ReplayError(
            f"{self._service.address.shown}: {why}. {len(self._logged):,} of {len(self._stream):,} orders "
            f"are in {self._log.path}. Mend the service, then run the same command: it goes on from there."
        )

    def _answer(
        self,
        row: int,
        outcome: str,
        tries: int,
        prediction: Prediction | None = None,
        latency_ms: float | None = None,
    ) -> Answer:
        stream = self._stream
        return Answer(
            row=row,
            order_id=stream.ids[row],
            day=int(stream.arrived[row]),
            arrived=stream.arrived[row],
            outcome=outcome,
            minutes=prediction.minutes if prediction else None,
            model_version=prediction.model_version if prediction else None,
            degraded=prediction.degraded if prediction else None,
            latency_ms=latency_ms,
            tries=tries,
        )


class _Pace:
    """Simulated time against the clock; it starts with the first moment that is waited for."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._start: tuple[float, float] | None = None
        self.behind_s = 0.0

    async def until(self, moment: float) -> None:
        """Wait until it is `moment`, in days since the world began."""
        if self._speed is None:
            return
        now = time.monotonic()
        self._start = self._start or (moment, now)
        ahead_s = self._start[1] + (moment - self._start[0]) / self._speed - now
        self.behind_s = max(self.behind_s, -ahead_s)
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)


async def _back_off(tries: int) -> None:
    """50 ms after the first try, twice as long after each further one, at most 1.6 s."""
    await asyncio.sleep(0.05 * 2 ** min(tries - 1, 5))


def _nobody(_: int) -> None:
    """Tell nobody that a day is through."""
