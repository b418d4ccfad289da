"""Full copies of a workspace, made before anything changes in it."""

import errno
import shutil
from datetime import datetime
from pathlib import Path

from lab_env.errors import LabError
from lab_env.workspace import Workspace


def back_up(workspace: Workspace, reason: str, *, now: datetime) -> Path:
    """Copy everything in the workspace, `.git` and caches too, and return where.

    Raises:
        LabError: it could not be copied whole; the workspace is untouched and the half copy is gone.
    """
    source = workspace.folder
    target = workspace.home.notes / "backups"
    try:
        target = free_name(workspace, f"{now:%Y%m%d-%H%M%S}-{reason}")
        shutil.copytree(source, target, symlinks=True)
    except (OSError, shutil.Error) as error:
        if target.name != "backups":
            shutil.rmtree(target, ignore_errors=True)
        raise LabError(
            f"{source} could not be copied to {target.parent}, so nothing in it was changed: {_cause(error)}"
        ) from error
    return target


def empty(workspace: Workspace) -> None:
    """Delete everything in the workspace but the folder itself, so that a shell in it stays in it.

    Raises:
        LabError: a file is held by another program; says which.
    """
    for path in sorted(workspace.folder.iterdir()):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            raise LabError(
                f"{error.filename or path} cannot be deleted ({error.strerror}). If another program has it "
                "open, close that program; then run `lab reset` again."
            ) from error


def put_back(workspace: Workspace, backup: Path) -> None:
    """Bring the workspace back to what `backup` holds, by moving: it needs no free space.

    Raises:
        LabError: something in the workspace is in the way; the backup stays.
    """
    try:
        empty(workspace)
    except LabError as error:
        raise LabError(f"{error} All that you had is in {backup}.") from error
    for path in backup.iterdir():
        shutil.move(path, workspace.folder / path.name)
    backup.rmdir()


def free_name(workspace: Workspace, name: str) -> Path:
    """A folder for a backup whose name is not taken: two may fall into one second."""
    folder = workspace.home.notes / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / f"{workspace.lab.id}-{name}"
    taken = 1
    while wanted.exists():
        taken += 1
        wanted = folder / f"{workspace.lab.id}-{name}-{taken}"
    return wanted


def _cause(error: OSError) -> str:
    """What went wrong with a copy; shutil.Error holds one line for each file."""
    if isinstance(error, shutil.Error):
        first = error.args[0][0]
        more = len(error.args[0]) - 1
        text = f"{first[0]}: {first[2]}" + (f", and {more} more" if more else "")
    else:
        text = f"{error.filename or ''}: {error.strerror}".lstrip(": ")
    if error.errno == errno.ENOSPC or "No space left" in text:
        return "the disk is full. Free some space (`df -h` shows how much there is) and try again."
    return f"{text}. Mend that, or close the program that holds the file, and try again."
