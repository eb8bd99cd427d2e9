"""The seam to the disk: the few operations a commit is made of, and the disk itself."""

import errno
import os
import shutil
import stat
from collections.abc import Collection
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from loom.deploy.writer.exchange import exchange
from loom.deploy.writer.snapshot import Entry, Form, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


class Filesystem(Protocol):
    """What a commit asks of a disk. Every method raises OSError with the path as `filename`."""

    def scan(self, folder: Path, hashed: Collection[str]) -> Snapshot:
        """What is below `folder`, with digests of the paths in `hashed`; empty when there is no folder."""

    def exists(self, path: Path) -> bool:
        """Whether anything is at `path`."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and those above it; no error when it is there."""

    def write(self, path: Path, content: bytes, mode: int | None) -> None:
        """Write a new file and see it to the disk; FileExistsError when it is there."""

    def link(self, source: Path, target: Path) -> None:
        """Give the file at `source` a second name, or copy it where that cannot be."""

    def seal(self, folder: Path, mode: int | None = None) -> None:
        """See the names in a folder to the disk, and give it its permission bits."""

    def exchange(self, first: Path, second: Path) -> bool:
        """Swap two names in one step; False where the system cannot."""

    def rename(self, source: Path, target: Path) -> None:
        """Rename, replacing a file at `target`."""

    def remove(self, folder: Path) -> None:
        """Remove a folder with all below it; no error when it is not there."""


class Disk:
    """The disk."""

    def scan(self, folder: Path, hashed: Collection[str]) -> Snapshot:
        """Walk the folder without following links."""
        if not folder.is_dir():
            return Snapshot()
        entries = {".": _entry(folder, hashed=False)}
        for path in sorted(_walk(folder)):
            name = path.relative_to(folder).as_posix()
            entries[name] = _entry(path, hashed=name in hashed)
        return Snapshot(entries)

    def exists(self, path: Path) -> bool:
        """Ask the disk; a dangling link exists."""
        return os.path.lexists(path)

    def make_folder(self, path: Path) -> None:
        """Make it, with the permissions of the user's umask."""
        path.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, content: bytes, mode: int | None) -> None:
        """Write, chmod, fsync."""
        with _named(path), path.open("xb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())

    def link(self, source: Path, target: Path) -> None:
        """A hard link; a copy where the file system or its protections refuse one."""
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            shutil.copy2(source, target, follow_symlinks=False)

    def seal(self, folder: Path, mode: int | None = None) -> None:
        """Chmod and fsync a folder."""
        with _named(folder):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                if mode is not None:
                    os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def exchange(self, first: Path, second: Path) -> bool:
        """The system's own swap."""
        return exchange(first, second)

    def rename(self, source: Path, target: Path) -> None:
        """Rename; the folder of the target is made when it is missing."""
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)

    def remove(self, folder: Path) -> None:
        """Remove it, also where its folders are read-only."""
        if not os.path.lexists(folder):
            return
        folder.chmod(0o700)
        for path in _walk(folder):  # lazily: a folder is opened up before the walk goes into it
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder)


def _walk(folder: Path) -> "Iterator[Path]":
    for entry in os.scandir(folder):
        yield Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))


def _entry(path: Path, *, hashed: bool) -> Entry:
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return Entry(Form.FOLDER, mode)
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if not stat.S_ISREG(status.st_mode):
        return Entry(Form.OTHER, mode, identity)
    return Entry(Form.FILE, mode, identity, _digest(path) if hashed else "")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@contextmanager
def _named(path: Path) -> "Iterator[None]":
    """A failing write or fsync does not say where: add it."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
