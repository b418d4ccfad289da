"""Load on a service in a box: many requests at once while commands run. Standard library only."""

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

MOST = 20_000
KEPT = 2_000
WORKERS = 32
JSON = {"content-type": "application/json", "connection": "close"}


def drive(
    port: int,
    path: str,
    bodies: Sequence[bytes],
    workers: int,
    wait_s: float,
    rest_s: float,
    act: Callable[[], Any] | None,
) -> tuple[list[list[Any]], Any]:
    """POST the bodies in turn, each once, and on while `act` is done; the replies and what `act` gave.

    Each request has a connection of its own, so that nobody can be blamed for closing an idle one. A reply is
    the body's number, the status (0 for none), the first bytes of the answer or the reason, and seconds.
    """
    numbers = iter(range(MOST))
    replies: list[list[Any]] = []
    done = threading.Event()
    if act is None:
        done.set()

    def work() -> None:
        for number in numbers:  # one iterator for all workers: `next` on a range is atomic
            if number >= len(bodies) and done.is_set():
                return
            at = number % len(bodies)
            replies.append([at, *_post(port, path, bodies[at], wait_s)])
            time.sleep(rest_s)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(max(workers, 1), WORKERS))]
    for thread in threads if bodies else ():
        thread.start()
    try:
        value = act() if act else None
    finally:
        done.set()
    for thread in threads if bodies else ():
        thread.join()
    return replies, value


def _post(port: int, path: str, body: bytes, wait_s: float) -> tuple[int, bytes, float]:
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=wait_s)
    try:
        connection.request("POST", path, body, JSON)
        answer = connection.getresponse()
        return answer.status, answer.read(KEPT), time.monotonic() - began
    except (OSError, http.client.HTTPException) as error:
        why = f"{type(error).__name__}: {error}"[:KEPT]
        return 0, why.encode(errors="replace"), time.monotonic() - began
    finally:
        with contextlib.suppress(OSError):
            connection.close()
