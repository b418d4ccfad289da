import asyncio
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lab_env.replay.errors import ReplayError
from lab_env.replay.service import Fault, Kind, Prediction, Service, parse_address, read_prediction
from tests.lab_env.replay.serving import Serving, free_port


def ask(to: str, *, timeout_s: float = 5.0) -> Prediction:
    """One prediction."""

    async def once() -> Prediction:
        async with Service(parse_address(to), connections=1, timeout_s=timeout_s) as service:
            return await service.predict(b'{"order_id": 1}')

    return asyncio.run(once())


def knock(to: str) -> None:
    async def once() -> None:
        async with Service(parse_address(to), connections=1, timeout_s=2) as service:
            await service.knock()

    asyncio.run(once())


@pytest.mark.parametrize(
    ("to", "url", "path"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", None),
        ("http://localhost:8000/eta/", "http://localhost:8000/eta", None),
        ("http://[::1]:8000", "http://[::1]:8000", None),
        ("unix:/tmp/eta.sock", "http://service", "/tmp/eta.sock"),
        ("unix:eta.sock", "http://service", "eta.sock"),
    ],
)
def test_an_address_is_tcp_or_a_unix_socket(to: str, url: str, path: str | None) -> None:
    address = parse_address(to)
    assert (address.url, address.socket) == (url, path)


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("127.0.0.1:8000", "is no address of a service"),
        ("https://127.0.0.1", "is no address of a service"),
        ("http://", "is no address of a service"),
        ("http://127.0.0.1:port", "is no address of a service"),
        ("http://127.0.0.1:8000/?x=1", "is no address of a service"),
        ("", "is no address of a service"),
        ("unix:", "names no socket"),
        ("unix:/tmp/" + "x" * 100, "is 105 bytes long, and a system takes at most 103"),
    ],
)
def test_what_is_no_address_is_refused(to: str, told: str) -> None:
    with pytest.raises(ReplayError, match=told):
        parse_address(to)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b'{"minutes": 30, "model_version": "v1"}', Prediction(30.0, "v1", False)),
        (
            b'{"minutes": 30.5, "model_version": "v1", "degraded": true, "more": 1}',
            Prediction(30.5, "v1", True),
        ),
        (b'{"minutes": -3, "model_version": "v1"}', Prediction(-3.0, "v1", False)),
    ],
)
def test_an_answer_is_read(content: bytes, wanted: Prediction) -> None:
    assert read_prediction(content) == wanted


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("html", r"no JSON: '<html><body>It works"),
        ("nan", "no JSON"),
        ("empty", "no JSON: ''"),
        ("deep", "no JSON"),
        ("list", r"no object: '\[30\]'"),
        ("word", "`minutes` is no number"),
        ("yes", "`minutes` is no number"),
        ("huge", "`minutes` is no number"),
        ("nameless", "`model_version` is no text"),
        ("maybe", "`degraded` is neither true nor false"),
        ("long", "more than 65,536 bytes"),
    ],
)
def test_rubbish_is_called_rubbish(served: Serving, mode: str, told: str) -> None:
    with pytest.raises(Fault, match=told) as fault:
        ask(f"{served.to}/{mode}")
    assert fault.value.kind is Kind.RUBBISH


@pytest.mark.parametrize(
    ("mode", "kind", "told"),
    [
        ("crash", Kind.BROKEN, "status 500: 'Internal Server Error'"),
        ("away", Kind.BUSY, "status 503: 'warming up'"),
        ("refuses", Kind.REFUSED, "status 422: .*unknown zone"),
        ("login", Kind.WRONG_DOOR, "status 401: 'who are you"),
        ("moved", Kind.WRONG_DOOR, "status 307: ''"),
        ("no/such/place", Kind.WRONG_DOOR, "status 404: .*Not Found"),
    ],
)
def test_a_status_says_what_is_wrong(served: Serving, mode: str, kind: Kind, told: str) -> None:
    with pytest.raises(Fault, match=told) as fault:
        ask(f"{served.to}/{mode}")
    assert fault.value.kind is kind


def test_a_hung_connection_is_let_go(served: Serving) -> None:
    with pytest.raises(Fault, match=r"timed out: no answer within 0\.2 s") as fault:
        ask(f"{served.to}/hangs", timeout_s=0.2)
    assert fault.value.kind is Kind.TIMED_OUT


def test_nobody_there_is_no_fault_of_the_order() -> None:
    with pytest.raises(Fault) as fault:
        ask(f"http://127.0.0.1:{free_port()}")
    assert fault.value.kind is Kind.UNREACHABLE


@pytest.mark.parametrize(
    "behave",
    [
        lambda caller: caller.close(),
        lambda caller: caller.sendall(b"+PONG\r\n"),
        lambda caller: caller.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"),
    ],
    ids=["hangs up", "speaks something else", "stops in the middle"],
)
def test_a_conversation_that_breaks_off_is_cut_off(behave: Callable[[socket.socket], None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(65_536)
                behave(caller)

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(Fault) as fault:
            ask(f"http://127.0.0.1:{server.getsockname()[1]}")
    assert fault.value.kind is Kind.CUT_OFF


def test_a_service_that_trickles_is_timed_out_as_a_whole() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(65_536)
                caller.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
                for _ in range(40):
                    caller.sendall(b"x")
                    if done.wait(0.05):
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(Fault) as fault:
            ask(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.3)
        done.set()
        thread.join()
    assert fault.value.kind is Kind.TIMED_OUT


def test_a_service_that_is_there_is_found(served: Serving) -> None:
    knock(served.to)


def test_a_service_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(
        ReplayError, match=rf"Nothing listens at http://127\.0\.0\.1:{port} .*Start the service"
    ):
        knock(f"http://127.0.0.1:{port}")


def test_a_socket_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"Nothing listens at unix:.*eta\.sock \(No such file"):
        knock(f"unix:{tmp_path / 'eta.sock'}")


def test_a_socket_that_nobody_serves_is_named(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "eta.sock"))
    with pytest.raises(ReplayError, match=r"Nothing listens at unix:.*eta\.sock"):
        knock(f"unix:{tmp_path / 'eta.sock'}")


def test_a_file_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "eta.sock").write_text("")
    with pytest.raises(ReplayError, match=r"is no socket\. Give the path that the service was started with"):
        knock(f"unix:{tmp_path / 'eta.sock'}")
