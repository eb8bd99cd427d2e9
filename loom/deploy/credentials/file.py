"""Files that only their owner may read, put in place whole: written aside, seen to the disk, renamed."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from loom.errors import Problem, WriteError

SECRET, PUBLIC = 0o600, 0o644
"""Permission bits of what must stay secret, and of certificates."""
FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is to be."""

    path: Path
    content: bytes = field(default=b"", repr=False)
    owner: int = -1
    """User id that the file is given to when we are root; -1 for whoever we are."""
    mode: int = SECRET
    link: str = ""
    """The file beside it that this name leads to, instead of a content."""

    @property
    def aside(self) -> Path:
        """Where it is written before it has its name."""
        return self.path.with_name(f".{self.path.name}.new")


def put(*files: File) -> None:
    """Bring all files to the disk, then give them their names in this order; WriteError.

    A program that reads one meanwhile sees the old content or the new. When anything fails before the first
    name is given, nothing has changed.
    """
    try:
        for file in files:
            folder(file.path.parent, file.owner)
            _write(file)
        for file in files:
            file.aside.replace(file.path)
        for parent in {file.path.parent for file in files}:
            _seal(parent)
    except OSError as error:
        raise refused(error, files[0].path.parent) from error
    finally:
        for file in files:
            file.aside.unlink(missing_ok=True)


def folder(path: Path, owner: int = -1) -> None:
    """Make a folder that only its owner may enter; one that is there stays as it is. OSError."""
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=FOLDER)
    if given(owner):
        os.chown(path, owner, -1)


def given(owner: int) -> bool:
    """Whether a file can be, and is to be, given to somebody else."""
    return owner >= 0 and os.geteuid() == 0


def refused(error: OSError, place: Path) -> WriteError:
    """What the system said, with the path."""
    text = (error.strerror or str(error)).lower()
    return WriteError(Problem(f"cannot write: {text}", str(error.filename or place)))


def _write(file: File) -> None:
    file.aside.unlink(missing_ok=True)  # left by one that was killed
    if file.link:
        file.aside.symlink_to(file.link)
        return
    descriptor = os.open(file.aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(file.content)
        out.flush()
        os.fchmod(descriptor, file.mode)  # whatever the umask took away
        if given(file.owner):
            os.fchown(descriptor, file.owner, -1)
        os.fsync(descriptor)


def _seal(parent: Path) -> None:
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
