"""What stands between a program and the machine: a limit to its memory, a volume that is too small."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_GROUPS = Path("/sys/fs/cgroup")
_NAME = f"loom-fire-{os.getpid()}"
_MIB = 2**20


@contextmanager
def confined(pid: int, mib: int) -> Iterator[None]:
    """Hold a process to so much memory, as its container would: the kernel kills what takes more.

    Where this machine lets nobody do that the test fails if CI is set; else it goes on without.
    """
    groups = (
        (_GROUPS / "memory", "memory.limit_in_bytes")
        if (_GROUPS / "memory").is_dir()
        else (_GROUPS, "memory.max")
    )
    place, limit = groups[0] / _NAME, groups[1]
    try:
        place.mkdir()
        (place / limit).write_text(str(mib * _MIB))
        (place / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        if os.environ.get("CI"):
            pytest.fail(f"no memory limit can be set here: {error}")
    try:
        yield
    finally:
        if place.is_dir():
            for left in (place / "cgroup.procs").read_text().split():
                (groups[0] / "cgroup.procs").write_text(left)
            place.rmdir()


@contextmanager
def volume(folder: Path, mib: int) -> Iterator["Volume"]:
    """A volume of that size at a folder; only root may mount."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m", _NAME, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"no volume can be mounted here, which takes root: {done.stderr.strip()}")
    try:
        yield Volume(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Volume:
    """A volume that can grow."""

    def __init__(self, folder: Path) -> None:
        """At a folder."""
        self._folder = folder

    @property
    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def grow(self, mib: int) -> None:
        """Give it more space while it is in use."""
        subprocess.run(["mount", "-o", f"remount,size={mib}m", str(self._folder)], check=True)
