"""The system-call filter of a box, as the bytes of a classic BPF program.

What a sandbox of namespaces leaves open is refused here: the keyring (shared by all jobs of one uid),
`ptrace` and the memory of other processes, io_uring, userfaultfd, new namespaces, mounts, modules, and
sockets of other families than local, IPv4 and IPv6. A refused call answers EPERM.

`fallocate` answers EOPNOTSUPP, and programs go on without: a box's disk is memory, and what is only reserved
there is written, zero by zero. Prometheus reserves 128 MB for a database of a hundred bytes.
"""

import platform
import struct

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS, EOPNOTSUPP, EAFNOSUPPORT = 1, 38, 95, 97
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCH, FIRST, SECOND = 0, 4, 16, 24  # offsets in seccomp_data; arguments are 8 bytes each
NEW_NAMESPACES = 0x7E020080  # CLONE_NEWUSER, NEWPID, NEWNET, NEWIPC, NEWUTS, NEWCGROUP, NEWNS, NEWTIME
FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: type into the terminal that started us

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
DENIED = {
    # x86_64, aarch64
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mbind": (237, 235),
    "migrate_pages": (256, 238),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "set_mempolicy": (238, 237),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
CALLS = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "fallocate": (285, 47),
    "socket": (41, 198),
    "ioctl": (16, 29),
}


def is_supported() -> bool:
    """Whether there is a filter for this machine."""
    return platform.machine() in AUDIT_ARCH


def program(machine: str | None = None) -> bytes:
    """The filter for a machine (this one when None): 8 bytes an instruction.

    Raises:
        KeyError: a machine that has no filter; ask `is_supported` first.
    """
    machine = machine or platform.machine()
    column = list(AUDIT_ARCH).index(machine)
    number = {name: numbers[column] for name, numbers in CALLS.items()}
    code = [
        _step(LOAD, ARCH),
        _step(EQUAL, AUDIT_ARCH[machine], 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
    ]
    if machine == "x86_64":  # the x32 calls have other numbers
        code += [_step(AT_LEAST, 0x40000000, 0, 1), _step(RETURN, KILL)]
    code += [_step(EQUAL, number["clone3"], 0, 1), _refuse(ENOSYS)]  # glibc falls back to clone
    code += [_step(EQUAL, number["fallocate"], 0, 1), _refuse(EOPNOTSUPP)]
    code += _when(number["clone"], [_step(LOAD, FIRST), _step(ANY_BIT, NEW_NAMESPACES, 0, 1), _refuse(EPERM)])
    code += _when(number["socket"], _socket())
    code += _when(number["ioctl"], [_step(LOAD, SECOND), *_one_of(TERMINAL), _refuse(EPERM)])
    for numbers in DENIED.values():
        code += [_step(EQUAL, numbers[column], 0, 1), _refuse(EPERM)]
    return b"".join([*code, _step(RETURN, ALLOW)])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction; the jumps count instructions to leap over."""
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _refuse(error: int) -> bytes:
    return _step(RETURN, 0x00050000 | error)


def _when(number: int, then: list[bytes]) -> list[bytes]:
    """Run `then` for one call and allow it when nothing in it refused."""
    body = [*then, _step(RETURN, ALLOW)]
    return [_step(EQUAL, number, 0, len(body)), *body]


def _one_of(values: tuple[int, ...]) -> list[bytes]:
    """Go on to the next instruction for one of `values`, leap over it for any other."""
    last = len(values) - 1
    return [_step(EQUAL, value, last - at, 1 if at == last else 0) for at, value in enumerate(values)]


def _socket() -> list[bytes]:
    """Refuse a family that is not in FAMILIES."""
    steps = [_step(LOAD, FIRST)]
    count = len(FAMILIES)
    steps += [_step(EQUAL, family, count - at, 0) for at, family in enumerate(FAMILIES)]
    return [*steps, _refuse(EAFNOSUPPORT)]
