"""Lab 08 on services that are not as anybody would write them: a verdict, and a message that helps."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import pytest

from grader.boxes.bubblewrap import strongest
from grader.controller import judge
from grader.manifest import find_lab
from grader.results import Result, Verdict
from grader.warm import WarmJudge
from tests.grader.courses import replace, write_files

COURSE = Path(__file__).parent.parent.parent
LAB = find_lab(COURSE, "08")
SERVICE = """
import http.server, json, sys, time
from pathlib import Path

def answer(handler, status, body):
    handler.send_response(status)
    handler.end_headers()
    handler.wfile.write(body)

class Service(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        {acts}

    def do_GET(self):
        answer(self, 200, b"{{}}")

    def log_message(self, *_):
        pass

{first}
http.server.ThreadingHTTPServer(("127.0.0.1", int({port})), Service).serve_forever()
"""
SAID = '{"minutes": 31.5, "model_version": "102", "degraded": false}'


class Odd(NamedTuple):
    """A service, and what the judge says of it."""

    acts: str
    verdict: Verdict
    found: str
    why: str = ""
    first: str = ""
    port: str = "sys.argv[2]"


SERVICES = {
    "never answers": Odd("time.sleep(60)", Verdict.FAIL, "TimeoutError: timed out", "Start it yourself"),
    "hangs up": Odd("self.connection.close()", Verdict.FAIL, "RemoteDisconnected", "Start it yourself"),
    "answers HTML": Odd(
        "answer(self, 200, b'<html>31 minutes</html>')", Verdict.FAIL, "<html>31 minutes</html>", "JSON"
    ),
    "answers NaN": Odd(
        'answer(self, 200, b\'{"minutes": NaN, "model_version": "102", "degraded": false}\')',
        Verdict.FAIL,
        '{"minutes": NaN',
        "not NaN",
    ),
    "answers by another version": Odd(
        f"answer(self, 200, {SAID.replace('102', '7')!r}.encode())", Verdict.FAIL, "'model_version': '7'"
    ),
    "answers with a flood": Odd("answer(self, 200, b'7' * 10**8)", Verdict.FAIL, "7777"),
    "floods its output": Odd(
        "print('x' * 10**7, flush=True); time.sleep(60)", Verdict.OUTPUT, "printed more than 1024 KiB"
    ),
    "listens on a port of its own": Odd("pass", Verdict.STUDENT_ERROR, "did not listen on port", port="8000"),
    "finds its port taken": Odd(
        "pass",
        Verdict.STUDENT_ERROR,
        "the service ended with exit code 1",
        first="import socket; taken = socket.socket(); taken.bind(('127.0.0.1', int(sys.argv[2])))",
    ),
    "ends at once": Odd(
        "pass", Verdict.STUDENT_ERROR, "the service ended with exit code 3", first="sys.exit(3)"
    ),
}


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmJudge]:
    with WarmJudge(LAB, strongest()) as warm:
        yield warm


def judged(odd: Odd, work: Path, warm: WarmJudge, *checks: str) -> Result:
    source = SERVICE.format(acts=odd.acts, first=odd.first, port=odd.port)
    write_files(work, {"service/__main__.py": source, "service/__init__.py": ""})
    return judge(LAB, work, hidden=True, only=checks, box=strongest(), warm=warm)


@pytest.mark.parametrize("name", SERVICES)
def test_an_odd_service_gets_a_verdict_and_a_message(name: str, warm: WarmJudge, tmp_path: Path) -> None:
    odd = SERVICES[name]
    check = judged(odd, tmp_path / "work", warm, "gaps_get_the_fallback").check("gaps_get_the_fallback")
    assert check.verdict is odd.verdict, check
    assert odd.found in check.found
    assert odd.why in check.why


def test_a_log_that_floods_is_told_by_its_size(warm: WarmJudge, tmp_path: Path) -> None:
    work = copytree(LAB.solutions / "work", tmp_path / "work")
    replace(
        work / "service" / "counts.py", 'json.dumps(facts) + "', 'json.dumps(facts) + " " * 4_000_000 + "'
    )
    result = judge(LAB, work, hidden=True, only=["refusals_are_counted"], box=strongest(), warm=warm)
    assert [check.verdict for check in result.checks] == [Verdict.PASS, Verdict.PASS, Verdict.FAIL]
    flooded = result.check("refusals_are_counted")
    assert int(flooded.found) > 30_000_000
    assert "fills the disk" in flooded.why
