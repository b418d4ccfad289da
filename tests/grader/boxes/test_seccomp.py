"""The system-call filter, as a program and at work in a box."""

import platform
from pathlib import Path

import pytest

from grader.boxes import seccomp
from grader.boxes.base import Budget, Session
from grader.boxes.bubblewrap import BubblewrapBox, why_not
from grader.lab import Limits

TRY = """
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    return ctypes.get_errno() if result < 0 else 0

def family(number):
    try:
        socket.socket(number, 1).close()
        return 0
    except OSError as error:
        return error.errno
"""


@pytest.mark.parametrize("machine", sorted(seccomp.AUDIT_ARCH))
def test_every_jump_stays_in_the_program(machine: str) -> None:
    program = seccomp.program(machine)
    steps = [program[at : at + 8] for at in range(0, len(program), 8)]
    for at, step in enumerate(steps):
        code, if_true, if_false = int.from_bytes(step[:2], "little"), step[2], step[3]
        if code & 7 == 5:
            assert at + 1 + max(if_true, if_false) < len(steps)
    assert steps[-1] == seccomp._step(seccomp.RETURN, seccomp.ALLOW)


def test_another_machine_has_no_filter() -> None:
    with pytest.raises(ValueError, match="riscv64"):
        seccomp.program("riscv64")


@pytest.mark.skipif(bool(why_not()), reason=f"no sandbox here: {why_not()}")
@pytest.mark.skipif(not seccomp.is_supported(), reason="no filter for this machine")
def test_dangerous_calls_are_refused_in_a_box(tmp_path: Path) -> None:
    (tmp_path / "attempt.py").write_text(TRY)
    budget = Budget(Limits())
    column = list(seccomp.AUDIT_ARCH).index(platform.machine())
    with Session(BubblewrapBox().start(tmp_path, {}, budget), budget) as session:
        for name in ("keyctl", "ptrace", "io_uring_setup", "userfaultfd", "unshare", "mount", "bpf"):
            number = seccomp.DENIED[name][column]
            assert session.call("attempt.call", number, 0, 0, 0, 0, 0) == seccomp.EPERM, name
        clone3 = seccomp.CALLS["clone3"][column]
        assert session.call("attempt.call", clone3, 0, 0) == seccomp.ENOSYS
        fallocate = seccomp.CALLS["fallocate"][column]
        assert session.call("attempt.call", fallocate, 0, 0, 0, 1) == seccomp.EOPNOTSUPP
        assert [session.call("attempt.family", number) for number in (1, 2, 10)] == [0, 0, 0]
        assert session.call("attempt.family", 16) == seccomp.EAFNOSUPPORT
        assert session.call("attempt.family", 40) == seccomp.EAFNOSUPPORT
