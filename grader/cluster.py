"""Judging on a Dask cluster: the one door to Dask.

A job is one submission: its accepted files, and what a judge is told. The lab is shipped once to each worker.
Workers have this same engine installed; one whose engine, Python or box is not as it must be gets no work.
Dask's messages are pickles, so whoever can talk to the cluster is trusted: the submissions are not, and never
leave their boxes.
"""

import asyncio
import hashlib
import io
import platform
import socket
import sysconfig
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster, Worker, WorkerPlugin, comm, get_worker
from distributed.scheduler import KilledWorker

from grader.controller import judge
from grader.doctor import look
from grader.errors import CourseError
from grader.manifest import Lab, read_lab
from grader.results import Result
from grader.snapshot import take
from grader.texts import line
from grader.warm import WarmJudge

LOCAL = "local"
CONNECT_S, LOOK_S, WAIT_S = 20, 2, 60
LOSSES = 2
OTHER_ENGINE = (
    "its engine, Python or packages are not the controller's. Install the same clone and lock there."
)
ENGINE = Path(__file__).parent
QUIET = {
    "distributed.admin.low-level-log-length": 10,  # of messages that are kept whole: jobs are some
    "distributed.admin.large-graph-warning-threshold": "500MB",  # a job carries its submission
    "distributed.scheduler.allowed-failures": LOSSES,
    "distributed.worker.daemon": False,  # a worker starts judges
}


class Cluster:
    """A place where submissions of one lab are judged. Safe to use in threads.

    `complaints` has a line for each worker that gets no work.
    """

    def __init__(
        self, client: Client, lab: Lab, box: str, *, accept_weak: bool, proven: bool, stopped: threading.Event
    ) -> None:
        """Ship the lab to the workers, those that come later too, and see which of them are fit.

        Args:
            client: connected.
            lab: what is judged.
            box: where submissions run on a worker.
            accept_weak: take a worker whose box lacks a wall that is not required.
            proven: the workers run here, where the box was attacked already.
            stopped: set when nobody waits for the results any more.

        Raises:
            CourseError: none is fit; says why.
        """
        self.client = client
        self.lab = lab
        self.box = box
        self.accept_weak = accept_weak
        self.proven = proven
        self.complaints: dict[str, str] = {}
        self._known: dict[str, bool] = {}
        self._hosts: dict[str, tuple[list[str], list[str]]] = {}
        self._host_of: dict[str, str] = {}
        self._lock = threading.Lock()
        self.stopped = stopped
        self.course = Course(lab)
        client.register_plugin(self.course)
        self.fit()

    @property
    def slots(self) -> int:
        """How many submissions are judged at once."""
        workers = self._workers()
        return sum(workers[address]["nthreads"] for address in self.fit() if address in workers)

    def judge(self, work: Path, secret: bytes | None) -> Result:
        """Judge one submission on some worker; on another when that one is lost.

        Raises:
            CourseError: it cannot be taken, it took its worker along three times, or no worker is left.
        """
        packed, told = pack_work(work), {"box": self.box, "secret": (secret or b"").hex()}
        while True:
            fit = self.fit()
            where = {"workers": fit, "allow_other_workers": False, "pure": False}
            job = self.client.submit(judge_there, self.course.name, packed, told, **where)
            try:
                while set(fit) & set(self._workers()) and not self.stopped.is_set():
                    with suppress(TimeoutError):
                        address, found = job.result(timeout=LOOK_S)
                        return replace(Result.from_dict(found), weak=self._weak(address))
            except KilledWorker as error:
                raise CourseError(f"Its worker was lost {LOSSES + 1} times while it was judged.") from error
            finally:
                job.cancel()
            if self.stopped.is_set():
                raise CourseError("Grading was stopped.")

    def fit(self) -> list[str]:
        """The workers that may judge; waits a minute for one when all were lost.

        Raises:
            CourseError: there is none; says why.
        """
        for _ in range(WAIT_S // LOOK_S):
            with self._lock:
                workers = self._workers()
                self._examine([address for address in workers if address not in self._known])
                found = [address for address in workers if self._known.get(address)]
            if found or not self._known_lost(workers):
                break
            time.sleep(LOOK_S)
        if not found:
            reasons = "".join(f"\n  {where}: {why}" for where, why in sorted(self.complaints.items()))
            raise CourseError(f"No worker of the Dask cluster may judge, or none is there.{reasons}")
        return found

    def _known_lost(self, workers: Mapping[str, Any]) -> bool:
        """Whether a fit worker was there and is gone; its like may come back."""
        return any(fit and address not in workers for address, fit in self._known.items())

    def _examine(self, new: list[str]) -> None:
        """See whether workers that came are fit: the engine of each, the box once a host."""
        if not new:
            return
        engines = self.client.run(engine_hash, workers=new)
        self._host_of |= self.client.run(socket.gethostname, workers=new)
        for address in new:
            lacks = self._box_lacks(address) if engines[address] == engine_hash() else OTHER_ENGINE
            self._known[address] = not lacks
            if lacks:
                self.complaints[address] = f"{line(self._host_of[address])}: {line(lacks, longest=400)}"

    def _box_lacks(self, address: str) -> str:
        host = self._host_of[address]
        if host not in self._hosts:
            attacked = not self.proven and self.box != "local"
            told = self.client.run(walls, self.box, workers=[address]) if attacked else {address: ([], [])}
            self._hosts[host] = told[address]
        missing, weak = self._hosts[host]
        broken = missing or ([] if self.accept_weak else weak)
        return f"its box lacks {', '.join(broken)}. Run `grader doctor` there." if broken else ""

    def _weak(self, address: str) -> tuple[str, ...]:
        """The walls that a worker's host lacks and somebody accepted."""
        return tuple(self._hosts[self._host_of[address]][1])

    def _workers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        return found


@contextmanager
def connect(
    where: str, lab: Lab, box: str, *, workers: int, accept_weak: bool, stopped: threading.Event
) -> Iterator[Cluster]:
    """A cluster to judge on: the one at an address (`tcp://…`, `tls://…`), or `local` for one made here.

    Raises:
        CourseError: nobody answers there, or no worker is fit.
    """
    with dask.config.set(QUIET):
        if where == LOCAL:
            with (
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                    local_directory=tempfile.gettempdir(),
                    silence_logs="CRITICAL",
                ) as cluster,
                Client(cluster, set_as_default=False) as client,
            ):
                yield Cluster(client, lab, box, accept_weak=accept_weak, proven=True, stopped=stopped)
            return
        _greet(where)
        with Client(where, timeout=CONNECT_S, set_as_default=False) as client:
            yield Cluster(client, lab, box, accept_weak=accept_weak, proven=False, stopped=stopped)


def _greet(where: str) -> None:
    """See that a scheduler answers. A client that finds none leaves its event loop behind."""

    async def greet() -> None:
        await (await comm.connect(where, timeout=CONNECT_S)).close()

    try:
        with ThreadPoolExecutor(1) as elsewhere:  # who calls us may have an event loop of their own
            elsewhere.submit(lambda: asyncio.run(greet())).result()
    except (OSError, ValueError, TimeoutError) as error:
        raise CourseError(
            f"No Dask scheduler answers at {where} ({line(str(error))}). Start it (`dask scheduler`), "
            "or use `--dask local` to try it on this machine."
        ) from error


class Course(WorkerPlugin):  # type: ignore[misc]  # Dask is typed in part
    """The lab on a worker: shipped once, unpacked there, judged by a judge that stays warm."""

    def __init__(self, lab: Lab) -> None:
        """Pack what a judge reads of the course."""
        self.content = pack_lab(lab)
        self.id = lab.id
        self.name = f"course-{hashlib.sha256(self.content).hexdigest()[:16]}"

    def setup(self, worker: Worker) -> None:
        """Unpack it in the worker's own folder, which Dask takes away with the worker."""
        self.place = Path(worker.local_directory)
        unpack(self.content, self.place / self.name)
        self.lab = read_lab(self.place / self.name / "labs" / self.id)
        self.lock = threading.Lock()
        self.warm: dict[str, WarmJudge] = {}

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002  # Dask passes it by name
        """End the judges."""
        for warm in self.warm.values():
            warm.close()

    def judge(self, work: Path, box: str, secret: bytes | None) -> Result:
        """Judge unpacked work with the warm judge of that box."""
        with self.lock:
            warm = self.warm.setdefault(box, WarmJudge(self.lab, box))
        return judge(self.lab, work, hidden=True, box=box, secret=secret, warm=warm, scratch=self.place)


def pack_lab(lab: Lab) -> bytes:
    """What a judge reads of the course: one lab, its checks, the settings; the same bytes every time."""
    settings = ["mkdocs.yml", "pyproject.toml", "requirements.lock"]
    names = [f"labs/{lab.id}", f"solutions/{lab.id}/checks", *settings]
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name in names:
            if (lab.course / name).exists():
                tar.add(lab.course / name, arcname=name, filter=_plain)
    return held.getvalue()


def pack_work(work: Path) -> bytes:
    """The accepted files of a submission.

    Raises:
        InvalidSubmission: it cannot be taken.
    """
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz", compresslevel=1) as tar:
        for file in take(work).files:
            info = tarfile.TarInfo(file.path)
            info.size, info.mode = file.size, 0o755 if file.executable else 0o644
            with (work / file.path).open("rb") as content:
                tar.addfile(info, content)
    return held.getvalue()


def judge_there(course: str, work: bytes, told: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """On a worker: judge one submission; its address and the record."""
    plugin: Course = get_worker().plugins[course]
    with tempfile.TemporaryDirectory(prefix="handed-in-", dir=plugin.place) as folder:
        unpack(work, Path(folder) / "work")
        result = plugin.judge(Path(folder) / "work", told["box"], bytes.fromhex(told["secret"]) or None)
    return get_worker().address, result.to_dict()


def engine_hash() -> str:
    """What must be the same on every worker: the engine's files, Python, and each package's version."""
    total = hashlib.sha256(platform.python_version().encode())
    for file in sorted(ENGINE.rglob("*.py")):
        total.update(f"{file.relative_to(ENGINE)}\0".encode() + file.read_bytes())
    # Where packages are installed and nowhere else: setuptools, once imported, adds its own to sys.path.
    places = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    for name in sorted({f"{one.name}=={one.version}" for one in distributions(path=places)}):
        total.update(name.encode())
    return total.hexdigest()


def walls(box: str) -> tuple[list[str], list[str]]:
    """On a worker: the walls that its host lacks, required ones and others."""
    strength = look(box)
    return list(strength.missing), list(strength.weak)


def unpack(content: bytes, folder: Path) -> None:
    """Unpack what `pack_lab` or `pack_work` made."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(folder, filter="data")


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without caches, and the same bytes wherever and whenever it is packed."""
    if "__pycache__" in info.name:
        return None
    info.mtime = info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info
