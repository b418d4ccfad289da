"""The service that is replayed to: the door to HTTP, and what its answers are worth."""

import asyncio
import json
import os
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import urlsplit

import httpx

from lab_env.replay.errors import ReplayError

MOST_BYTES = 65_536
LONGEST_SOCKET = 103  # what the system takes, on macOS; Linux takes four more
JSON = {"content-type": "application/json", "accept-encoding": "identity"}


class Kind(StrEnum):
    """What went wrong with one request."""

    UNREACHABLE = "unreachable"
    BUSY = "busy"
    CUT_OFF = "cut off"
    TIMED_OUT = "timed out"
    BROKEN = "server error"
    RUBBISH = "rubbish"
    REFUSED = "refused"
    WRONG_DOOR = "wrong door"


class Fault(Exception):
    """A request that brought nothing. `said` is what was seen, for a person."""

    def __init__(self, kind: Kind, said: str) -> None:
        super().__init__(f"{kind}: {said}")
        self.kind = kind
        self.said = said


@dataclass(frozen=True)
class Prediction:
    """An answer of the service: minutes, by which version, and whether with less than its model."""

    minutes: float
    model_version: str
    degraded: bool


@dataclass(frozen=True)
class Address:
    """Where the service listens: a base URL, and a Unix socket unless it is TCP."""

    url: str
    socket: str | None
    shown: str


def parse_address(text: str) -> Address:
    """`http://HOST:PORT` or `unix:PATH`.

    Raises:
        ReplayError: it is neither.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path:
            raise ReplayError("`unix:` names no socket. Write it like `unix:/tmp/eta.sock`.")
        if len(os.fsencode(path)) > LONGEST_SOCKET:
            raise ReplayError(
                f"The path of this socket is {len(os.fsencode(path))} bytes long, and a system takes at most "
                f"{LONGEST_SOCKET}: {path}. Put the socket into a folder with a short name."
            )
        return Address("http://service", path, text)
    parts = urlsplit(text)
    try:
        known = parts.scheme == "http" and parts.hostname and not parts.query and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise ReplayError(
            f"`{text}` is no address of a service. Write it like `http://127.0.0.1:8000` or "
            "`unix:/tmp/eta.sock`."
        )
    return Address(text.rstrip("/"), None, text)


class Service:
    """An open client for at most `connections` requests at once; each ends within `timeout_s`."""

    def __init__(self, address: Address, *, connections: int, timeout_s: float) -> None:
        self.address = address
        self._timeout_s = timeout_s
        # Without httpx's client on top, whose redirects, cookies and logins cost a quarter of a request; and
        # a pool of one for each connection, as a pool looks through all that it has at each request.
        limits = httpx.Limits(max_connections=1, keepalive_expiry=2)
        self._idle = [
            httpx.AsyncHTTPTransport(verify=False, uds=address.socket, limits=limits)
            for _ in range(connections)
        ]
        self._urls = {path: httpx.URL(address.url + path) for path in ("/predict", "/labels")}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for transport in self._idle:
            await transport.aclose()

    async def knock(self) -> None:
        """See that somebody listens, before anything is sent.

        Raises:
            ReplayError: nobody does.
        """
        path = self.address.socket
        if path is not None and Path(path).exists() and not Path(path).is_socket():
            raise ReplayError(f"{path} is no socket. Give the path that the service was started with.")
        try:
            async with asyncio.timeout(self._timeout_s):
                _, writer = await self._connect()
        except OSError as error:  # TimeoutError is one
            reason = error.strerror or str(error) or f"no connection within {self._timeout_s:g} s"
            raise ReplayError(
                f"Nothing listens at {self.address.shown} ({reason}). Start the service, then run this again."
            ) from error
        writer.close()

    async def predict(self, body: bytes) -> Prediction:
        """POST /predict.

        Raises:
            Fault: no usable answer.
        """
        return read_prediction(await self._post("/predict", body))

    async def learn(self, body: bytes) -> None:
        """POST /labels; what it answers besides its status does not matter.

        Raises:
            Fault: the service did not take them.
        """
        await self._post("/labels", body)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.address.socket is not None:
            return await asyncio.open_unix_connection(self.address.socket)
        url = httpx.URL(self.address.url)
        return await asyncio.open_connection(url.host, url.port or 80)

    async def _post(self, path: str, body: bytes) -> bytes:
        request = httpx.Request("POST", self._urls[path], content=body, headers=JSON)
        transport = self._idle.pop()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await transport.handle_async_request(request)
                async with aclosing(answer):
                    content = await _capped(answer)
        except TimeoutError:
            raise Fault(Kind.TIMED_OUT, f"no answer within {self._timeout_s:g} s") from None
        except httpx.ConnectError as error:
            raise Fault(Kind.UNREACHABLE, str(error) or "no connection") from error
        except httpx.TransportError as error:
            raise Fault(Kind.CUT_OFF, str(error) or type(error).__name__) from error
        finally:
            self._idle.append(transport)
        if not 200 <= answer.status_code < 300:
            raise Fault(_kind_of(answer.status_code), f"status {answer.status_code}: {_head(content)}")
        return content


def read_prediction(content: bytes) -> Prediction:
    """An answer's JSON: `minutes` and `model_version`, and `degraded` where the service has a fallback.

    Raises:
        Fault: it is something else.
    """
    try:
        answer = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Fault(Kind.RUBBISH, f"no JSON: {_head(content)}") from None
    if not isinstance(answer, dict):
        raise Fault(Kind.RUBBISH, f"JSON, but no object: {_head(content)}")
    version, degraded = answer.get("model_version"), answer.get("degraded", False)
    if not isinstance(version, str) or not 0 < len(version) <= 200:
        raise Fault(Kind.RUBBISH, f"`model_version` is no text of 1 to 200 signs: {_head(content)}")
    if not isinstance(degraded, bool):
        raise Fault(Kind.RUBBISH, f"`degraded` is neither true nor false: {_head(content)}")
    return Prediction(_minutes(answer.get("minutes"), content), version, degraded)


def _minutes(value: Any, content: bytes) -> float:
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e9
        and isfinite(value)
    ):
        return float(value)
    raise Fault(Kind.RUBBISH, f"`minutes` is no number that can be minutes: {_head(content)}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


async def _capped(answer: httpx.Response) -> bytes:
    """The answer's bytes; a service that never stops talking is cut short."""
    content = b""
    async for chunk in answer.aiter_raw():
        content += chunk
        if len(content) > MOST_BYTES:
            raise Fault(Kind.RUBBISH, f"more than {MOST_BYTES:,} bytes: {_head(content)}")
    return content


def _kind_of(status: int) -> Kind:
    if status in (400, 422):
        return Kind.REFUSED
    if status in (408, 425, 429, 502, 503, 504):
        return Kind.BUSY
    if status >= 500 and status != 501:
        return Kind.BROKEN
    return Kind.WRONG_DOOR


def _head(content: bytes) -> str:
    text = content[:80].decode("utf-8", "replace")
    return repr(text + ("…" if len(content) > 80 else ""))
