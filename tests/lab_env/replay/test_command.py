import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab_env.conftest import RunLab
from tests.lab_env.replay.serving import Serving, free_port

LAB = Path(sys.executable).parent / "lab"


def test_the_report_is_printed_by_day_against_the_floor(
    run_lab: RunLab, served: Serving, tmp_path: Path
) -> None:
    words = ["world", "replay", "--first-day", "3", "--to", served.to]
    first = run_lab(*words, "--speed", "1000000", cwd=tmp_path)
    assert first.code == 0, first.err
    day, sent, behind, empty, heads, row, *rest = first.out.splitlines()
    assert day == "Day 3 is through."
    assert " orders sent in " in sent
    assert sent.endswith("; the log is replay.db.")
    assert behind.startswith("The service could not keep up: it fell ")
    assert empty == ""
    assert heads.split() == ["Day", "Orders", "Answered", "Labels", "MAE", "Floor", "Degraded"]
    assert row.startswith("3    ")
    assert "Faults: none." in rest
    again = run_lab(*words, cwd=tmp_path)
    assert again.out.startswith("0 orders sent in 0.0 s; the log is replay.db.\n")
    tools = json.loads(run_lab(*words, "--json", cwd=tmp_path).out)
    assert [day["day"] for day in tools["days"]] == [3]
    assert tools["floor"] < tools["mae"]


def test_what_cannot_work_is_one_message(run_lab: RunLab, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for words, told in [
        (("--to", nobody), f"lab: Nothing listens at {nobody}"),
        (("--to", "localhost"), "lab: `localhost` is no address of a service"),
        (("--to", nobody, "--scenario", "monsun"), "Did you mean `monsoon`?"),
        (("--to", nobody, "--speed", "0"), "lab: `speed` is 0.0. Take more than 0."),
    ]:
        answer = run_lab("world", "replay", *words, cwd=tmp_path)
        assert (answer.code, answer.out) == (2, "")
        assert told in answer.err
    assert not (tmp_path / "replay.db").exists()


@pytest.mark.slow
def test_ctrl_c_says_that_the_same_command_goes_on(served: Serving, tmp_path: Path) -> None:
    words = ["world", "replay", "--speed", "0.001", "--to", served.to]
    replaying = subprocess.Popen(
        [LAB, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # CI may ignore it
    )
    while not list(tmp_path.glob("replay.db-wal")):
        assert replaying.poll() is None
        os.sched_yield()
    replaying.send_signal(signal.SIGINT)
    out, err = replaying.communicate(timeout=30)
    assert (replaying.returncode, err) == (130, "")
    assert out == "Stopped. replay.db is whole: the same command goes on from there.\n"
