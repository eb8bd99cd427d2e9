"""A folder brought to what is rendered, whole or not at all.

The new set is built in a hidden folder beside the old one — rendered files written, everything else given a
second name there — and then the two folders swap names in one step. A crash, a kill or a full disk before
that step leaves the old set, after it the new one; the next render removes what a killed one left beside it.

Where the system has no such step (NFS), there are two renames instead. Killed between them, the old set lies
whole under `.NAME.loom-old`, and the next render puts it back before it does anything else.

The folder is a new inode afterwards: a container that bind-mounted it, or a shell inside it, still sees the
old one until it is started again. A render that changes nothing touches nothing.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from loom.deploy.artifacts.model import Artifact
from loom.deploy.writer.changes import Changes, plan_changes
from loom.deploy.writer.filesystem import Disk, Filesystem
from loom.deploy.writer.lock import locked
from loom.deploy.writer.manifest import NAME, Manifest
from loom.deploy.writer.snapshot import Form, Snapshot
from loom.errors import DriftError, Problem, WriteError

_HINTS = {
    errno.ENOSPC: "free some space; nothing was changed",
    errno.EDQUOT: "your quota is used up; nothing was changed",
    errno.EFBIG: "a file size limit is in force (ulimit -f); nothing was changed",
    errno.EACCES: "give yourself the permission to write here; nothing was changed",
    errno.EPERM: "give yourself the permission to write here; nothing was changed",
    errno.EROFS: "the file system is read-only; choose another --output",
    errno.EBUSY: "it is a mount point and cannot be swapped; choose a folder below it with --output",
    errno.EXDEV: "it lies on a lower layer or a mount and cannot be swapped; choose another --output",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A folder and the two hidden names beside it."""

    folder: Path

    @property
    def next(self) -> Path:
        """Where the new set is built; after the swap it holds the old one."""
        return self.folder.with_name(f".{self.folder.name}.loom-next")

    @property
    def old(self) -> Path:
        """Where the old set waits between two renames."""
        return self.folder.with_name(f".{self.folder.name}.loom-old")


def inspect(folder: Path, artifacts: Sequence[Artifact], disk: Filesystem | None = None) -> Changes:
    """What a commit would do; writes nothing.

    DriftError when the manifest cannot be read, WriteError when the folder cannot.
    """
    place = Place(_real(folder))
    try:
        return _inspect(place.folder, artifacts, disk or Disk(), force=False)[1]
    except OSError as error:
        raise _refused(place, error, "read") from error


def commit(
    folder: Path, artifacts: Sequence[Artifact], *, force: bool = False, disk: Filesystem | None = None
) -> Changes:
    """Bring `folder` to the artifacts and say what was done; files edited by hand are kept unless forced.

    WriteError when the disk does not let us (nothing has changed then), DriftError when the manifest
    cannot be read and `force` does not say to do without it.
    """
    place, disk = Place(_real(folder)), disk or Disk()
    _refuse_own_ground(place.folder)
    try:
        disk.make_folder(place.folder.parent)
        with locked(place.folder.parent):
            return _commit(place, artifacts, disk, force=force)
    except OSError as error:
        raise _refused(place, error) from error


def _commit(place: Place, artifacts: Sequence[Artifact], disk: Filesystem, *, force: bool) -> Changes:
    recover(place, disk)
    before, changes = _inspect(place.folder, artifacts, disk, force=force)
    if changes.needed:
        try:
            _stage(place, before, changes, disk)
            _swap(place, disk)
            _carry_over(place, before, disk)
        finally:
            with suppress(OSError):  # what cannot be removed now, the next render removes
                recover(place, disk)
    return changes


def recover(place: Place, disk: Filesystem) -> None:
    """Undo a half-done swap, and remove what a killed render left."""
    if disk.exists(place.old):
        if not disk.exists(place.folder):
            disk.rename(place.old, place.folder)
        disk.remove(place.old)
    disk.remove(place.next)


def _inspect(
    folder: Path, artifacts: Sequence[Artifact], disk: Filesystem, *, force: bool
) -> tuple[Snapshot, Changes]:
    manifest = _manifest(folder, force=force)
    hashed = {NAME, *manifest.digests, *(artifact.path for artifact in artifacts)}
    before = disk.scan(folder, hashed)
    changes = plan_changes(before, artifacts, manifest)
    return before, changes.forced() if force else changes


def _manifest(folder: Path, *, force: bool) -> Manifest:
    path = folder / NAME
    try:
        return Manifest.parse(path.read_text())
    except FileNotFoundError:
        return Manifest()
    except (ValueError, RecursionError) as error:
        if force:
            return Manifest()
        problem = Problem(
            f"the manifest cannot be read: {error}",
            file=str(path),
            hint="restore it from version control, or render with --force to do without it",
        )
        raise DriftError(problem) from error


def _stage(place: Place, before: Snapshot, changes: Changes, disk: Filesystem) -> None:
    """Build the whole new set under its hidden name, and see it to the disk."""
    folders = _folders(before, changes)
    for folder in folders:
        disk.make_folder(place.next / folder)
    for path in changes.kept:
        disk.link(place.folder / path, place.next / path)
    for path in changes.written:
        entry = before.entries.get(path)
        text = changes.texts[path].encode()
        disk.write(place.next / path, text, entry.mode if entry and entry.form is Form.FILE else None)
    disk.write(place.next / NAME, str(changes.manifest).encode(), None)
    for folder in reversed(folders):
        known = before.entries.get(folder)
        disk.seal(place.next / folder, known.mode if known else None)


def _folders(before: Snapshot, changes: Changes) -> list[str]:
    """Every folder the new set needs, parents first: those of its files, and those left empty on purpose."""
    needed = {"."} | set(before.empty_folders())
    for path in (*changes.kept, *changes.written, *before.empty_folders()):
        needed |= {str(parent) for parent in PurePosixPath(path).parents}
    return sorted(needed, key=lambda path: PurePosixPath(path).parts)


def _swap(place: Place, disk: Filesystem) -> None:
    """The one step that decides; two where the system has no exchange."""
    if not disk.exists(place.folder):
        disk.rename(place.next, place.folder)
    elif not disk.exchange(place.next, place.folder):
        disk.rename(place.folder, place.old)
        disk.rename(place.next, place.folder)
    disk.seal(place.folder.parent)


def _carry_over(place: Place, before: Snapshot, disk: Filesystem) -> None:
    """Bring over what somebody saved into the old folder while the new one was being built."""
    for leftover in (place.next, place.old):
        for path, entry in disk.scan(leftover, ()).files().items():
            known = before.entries.get(path)
            if known is None or known.identity != entry.identity:
                disk.rename(leftover / path, place.folder / path)


def _real(folder: Path) -> Path:
    """The folder behind symbolic links: the link stays, what it leads to is swapped."""
    try:
        return Path(os.path.realpath(folder))
    except FileNotFoundError:  # what a relative path begins at
        hint = "change to a folder that is there"
        raise WriteError(Problem("the folder you are in was removed", file=str(folder), hint=hint)) from None


def _refuse_own_ground(folder: Path) -> None:
    """A folder that we stand in, or the whole of a repository, is never swapped."""
    problem = ""
    if _stood_in(folder):
        problem = "this is the folder you are in, or one above it, and it would be replaced"
    elif (folder / ".git").exists():
        problem = "this is the root of a repository, and it would be replaced"
    if problem:
        raise WriteError(Problem(problem, file=str(folder), hint="choose a folder of its own with --output"))


def _stood_in(folder: Path) -> bool:
    try:
        return Path.cwd().is_relative_to(folder)
    except FileNotFoundError:  # ours was removed, so it is not in there
        return False


def _refused(place: Place, error: OSError, verb: str = "write") -> WriteError:
    """The system's refusal, told of the path that the user knows."""
    path = str(error.filename or place.folder).replace(str(place.next), str(place.folder))
    text = (error.strerror or str(error)).lower()
    return WriteError(Problem(f"cannot {verb}: {text}", file=path, hint=_HINTS.get(error.errno or 0, "")))
