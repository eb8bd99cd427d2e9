"""The fake of the seam: a disk that fails, or dies, at the operation you choose."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from loom.deploy.writer.filesystem import Disk
from loom.deploy.writer.snapshot import Snapshot


class Died(BaseException):
    """The machine stopped: nobody's `except Exception` sees it, and nothing works afterwards."""


@dataclass
class FaultyDisk:
    """A real disk whose n-th changing operation fails half-way.

    With `error` it raises that and works again afterwards, as a full disk does; without, it dies for good.
    """

    fail_at: int
    """Number of the operation that fails, from 1; 0 for none."""
    error: Callable[[], OSError] | None = None
    exchanges: bool = True
    """Whether the system can swap two names in one step."""
    count: int = 0
    """Changing operations so far."""
    dead: bool = False
    log: list[str] = field(default_factory=list)
    """Names of the operations, in order."""
    disk: Disk = field(default_factory=Disk)

    def scan(self, folder: Path, hashed: Collection[str]) -> Snapshot:
        """Read; fails only when dead."""
        self._alive()
        return self.disk.scan(folder, hashed)

    def exists(self, path: Path) -> bool:
        """Read; fails only when dead."""
        self._alive()
        return self.disk.exists(path)

    def make_folder(self, path: Path) -> None:
        """Make it, or fail before."""
        self._step("make_folder")
        self.disk.make_folder(path)

    def write(self, path: Path, content: bytes, mode: int | None) -> None:
        """Write it, or half of it."""
        self._step("write", lambda: self.disk.write(path, content[: len(content) // 2], mode))
        self.disk.write(path, content, mode)

    def link(self, source: Path, target: Path) -> None:
        """Link it, or fail before."""
        self._step("link")
        self.disk.link(source, target)

    def seal(self, folder: Path, mode: int | None = None) -> None:
        """Seal it, or fail before."""
        self._step("seal")
        self.disk.seal(folder, mode)

    def exchange(self, first: Path, second: Path) -> bool:
        """Swap them, or fail before."""
        self._step("exchange")
        return self.exchanges and self.disk.exchange(first, second)

    def rename(self, source: Path, target: Path) -> None:
        """Rename it, or fail before."""
        self._step("rename")
        self.disk.rename(source, target)

    def remove(self, folder: Path) -> None:
        """Remove it, or half of it."""
        self._step("remove", lambda: self._remove_some(folder))
        self.disk.remove(folder)

    def _remove_some(self, folder: Path) -> None:
        files = sorted(self.disk.scan(folder, ()).files())
        for path in files[: len(files) // 2]:
            (folder / path).unlink()

    def _step(self, name: str, half: Callable[[], None] | None = None) -> None:
        self._alive()
        self.count += 1
        self.log.append(name)
        if self.count != self.fail_at:
            return
        if half is not None:
            half()
        if self.error is not None:
            raise self.error()
        self.dead = True
        raise Died

    def _alive(self) -> None:
        if self.dead:
            raise Died
