"""A template: what it refuses, whom it serves, and what ends with it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.boxes.local import local_template
from grader.boxes.warm import Command, Fork, Template, TemplateGone, descriptor, unnamed
from grader.errors import BoxError
from tests.grader.courses import write_files

ENGINE = Path(__file__).parents[3]
LEAVES = {
    "threads": "import threading as t, time\nt.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
    "socket": "import socket\nkept = socket.socket()\n",
    "a_file": "import os\nkept = open(os.devnull)\n",
    "event_loop": "import asyncio\nkept = asyncio.new_event_loop()\n",
    "process": "import subprocess\nkept = subprocess.Popen(['sleep', '5'])\n",
    "handler": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n",
    "broken": "import no_such_module\n",
    "ends": "raise SystemExit(0)\n",
    "harmless": "import json\n",
}
SAID = {
    "threads": "leaves 1 threads behind, which a fork does not survive",
    "socket": "leaves 1 open descriptors (socket) behind",
    "a_file": "leaves 1 open descriptors (/dev/null) behind",
    "event_loop": "(an event loop, socket, socket) behind",
    "process": "leaves a process behind",
    "handler": "leaves a signal handler behind",
    "broken": "cannot be imported (ModuleNotFoundError: No module named 'no_such_module')",
    "ends": "cannot be imported (SystemExit: 0)",
    "harmless": "",
}
REHEARSES = """
import threading, time
from grader.boxes.template import preload

def fails():
    raise RuntimeError("no shell")

def leaves():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    fails()

print(repr(preload(["json"], fails)))
print(repr(preload(["json"], leaves)))
"""
ASK = "import sys; from grader.boxes.template import preload; print(preload(['json', *sys.argv[1:]]))"


@pytest.mark.parametrize("name", LEAVES)
def test_what_a_preload_leaves_behind_is_refused(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {f"leaves_{name}.py": LEAVES[name]})
    done = subprocess.run(
        [sys.executable, "-c", ASK, f"leaves_{name}"],
        env=os.environ | {"PYTHONPATH": f"{ENGINE}{os.pathsep}{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert SAID[name] in done.stdout, done.stderr
    assert done.stdout.startswith(f"`leaves_{name}` ") or not SAID[name]


def test_a_rehearsal_may_fail_and_not_leave_anything() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REHEARSES], cwd=ENGINE, capture_output=True, text=True, check=False
    )
    failed, left = done.stdout.splitlines()
    assert failed == "''", done.stderr
    assert left == repr("A notebook's shell leaves 1 threads behind, which a fork does not survive")


@pytest.fixture
def template() -> Iterator[Template]:
    made = local_template([])
    yield made
    made.close()


def made_by(script: str) -> Template:
    """A template that is a script of ours."""
    return Template(
        lambda line, hello: Command(["sh", "-c", script, "sh", str(line), str(hello)], os.environ)
    )


def test_a_template_that_was_killed_is_started_again(template: Template) -> None:
    template.wait()
    os.kill(template.pid, signal.SIGKILL)
    until = time.monotonic() + 20
    while template.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    with pytest.raises(TemplateGone):
        template.fork({}, [])
    template.revive()
    assert template.fork({}, []).wait(20)[0] != 0  # told too little to become a box, it ends


def test_templates_that_do_not_serve_say_why() -> None:
    cases = {
        "exit 3": "The template ended during its imports",
        "sleep 5": r"The template's imports took over 0\.3 s",
    }
    for script, said in cases.items():
        template = made_by(script)
        with pytest.raises(TemplateGone, match=said):
            template.wait(0.3)
        template.close()
    refused = local_template(["no_such_module"])
    with pytest.raises(TemplateGone, match=r"`no_such_module` cannot be imported \(ModuleNotFoundError"):
        refused.fork({}, [])
    pid = refused.pid
    refused.revive()  # what is refused once is refused again
    assert refused.pid == pid
    refused.close()
    refused.close()  # a second time does nothing


def test_a_template_that_cannot_come_up_is_not_started_for_ever() -> None:
    template = made_by("exit 3")
    pids = set()
    for _ in range(5):
        template.revive()
        pids.add(template.pid)
    template.close()
    assert len(pids) == 3


def test_a_fork_that_never_comes_is_told() -> None:
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(TemplateGone, match="The template does not answer"):
        Fork(ours, wait_s=0.1)
    ours, theirs = socket.socketpair()
    theirs.close()
    with pytest.raises(TemplateGone, match="The template has ended"):
        Fork(ours)


LIVES = """
import sys, time
from grader.boxes.local import local_template
template = local_template([])
template.wait()
print(template.pid, flush=True)
time.sleep(60)
"""


def test_a_template_ends_with_whoever_started_it() -> None:
    starter = subprocess.Popen([sys.executable, "-c", LIVES], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.communicate()
    until = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not psutil.pid_exists(pid)


def test_what_a_template_is_told_has_no_name() -> None:
    for number in (descriptor(b"told"), unnamed(b"told")):
        assert os.read(number, 100) == b"told"
        os.close(number)
    with pytest.raises(BoxError, match="A template is told 20000 bytes; a pipe takes 16 KiB at once"):
        unnamed(bytes(20_000))
