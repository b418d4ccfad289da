"""One zip to hand in: the work, without environments and caches, and a receipt."""

import hashlib
import json
import os
import platform
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from grader.results import Result
from grader.snapshot import File, Snapshot, take
from lab_env.errors import LabError
from lab_env.hints import taken
from lab_env.progress import standing, utc
from lab_env.workspace import Workspace, git

FORMAT = 1
RECEIPT = "receipt.json"
WORK = "work"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ALWAYS = (".git/objects", ".git/refs")  # without these folders, empty or not, Git sees no repository


@dataclass(frozen=True)
class Submission:
    """The zip that was made, and what is in it."""

    path: Path
    receipt: Mapping[str, Any]
    files: tuple[File, ...]

    @property
    def work_mb(self) -> float:
        """The size of the files packed, in MB."""
        return sum(file.size for file in self.files) / 1024**2

    @property
    def zip_mb(self) -> float:
        """The size of the zip, in MB."""
        return self.path.stat().st_size / 1024**2


def submit(workspace: Workspace, result: Result, *, now: datetime) -> Submission:
    """Pack the workspace into `submissions/` beside it, named after lab and content.

    The same work, result and time give the same bytes.

    Raises:
        LabError: the work changed since it was judged.
        InvalidSubmission: it holds a link, or too much.
    """
    workspace.require_sound()
    snapshot = take(workspace.folder)
    if snapshot.hash != result.snapshot:
        raise LabError(
            f"Something in {workspace.folder} changed while it was checked. Close the program that writes "
            "there (`lab watch` and editors do not), then `lab submit` again."
        )
    receipt = make_receipt(workspace, snapshot, result, now=now)
    path = workspace.home.folder / "submissions" / f"{workspace.lab.id}-{snapshot.hash[:12]}.zip"
    pack(snapshot, receipt, path)
    return Submission(path, receipt, snapshot.files)


def make_receipt(
    workspace: Workspace, snapshot: Snapshot, result: Result, *, now: datetime
) -> dict[str, Any]:
    """What goes beside the work: facts to compare with, none of them believed when it is graded."""
    return {
        "format": FORMAT,
        "lab": workspace.lab.id,
        "release": result.release,
        "started_from": workspace.release,
        "snapshot": snapshot.hash,
        "files": len(snapshot.files),
        "bytes": sum(file.size for file in snapshot.files),
        "made": utc(now),
        "versions": {
            "course": version("from-devops-to-mlops"),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "git": git(workspace.folder, "version").stdout.strip().removeprefix("git version "),
            **(result.versions or {}),
        },
        "reported": {
            key: value
            for key, value in standing(workspace.home, workspace.lab).to_dict().items()
            if key not in ("lab", "title")
        }
        | {"hints": taken(workspace)},
    }


def pack(snapshot: Snapshot, receipt: Mapping[str, Any], path: Path) -> None:
    """Write the zip whole or not at all.

    Raises:
        LabError: a file is not what the snapshot says any more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".packing-")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            text = json.dumps(receipt, indent=1, ensure_ascii=False) + "\n"
            archive.writestr(_entry(RECEIPT), text, zipfile.ZIP_DEFLATED)
            for folder in _ALWAYS:
                if (snapshot.folder / folder).is_dir():
                    archive.writestr(_entry(f"{WORK}/{folder}/", 0o40755), b"")
            for each in snapshot.files:
                content = _unchanged(snapshot.folder / each.path, each)
                entry = _entry(f"{WORK}/{each.path}", 0o100755 if each.executable else 0o100644)
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _unchanged(path: Path, file: File) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise LabError(
            f"{path} changed while it was packed. Close the program that writes it, then `lab submit` again."
        )
    return content


def _entry(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = mode << 16
    entry.create_system = 3
    return entry
