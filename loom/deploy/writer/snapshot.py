"""What a rendered folder holds at one moment, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath


class Form(StrEnum):
    """What stands at a path."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    """A symbolic link, a socket, a pipe: carried over as it is, never followed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of the folder."""

    form: Form
    mode: int = 0o644
    """Permission bits."""
    identity: tuple[int, ...] = ()
    """Changes whenever somebody writes there: device, inode, size, modification time in ns."""
    digest: str = ""
    """SHA-256 of the content; empty when nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """POSIX path below the folder → what is there; empty when there is no folder."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def files(self) -> dict[str, Entry]:
        """Everything but folders."""
        return {path: entry for path, entry in self.entries.items() if entry.form is not Form.FOLDER}

    def empty_folders(self) -> tuple[str, ...]:
        """Folders with nothing in them: somebody made them on purpose."""
        parents = {str(PurePosixPath(path).parent) for path in self.entries}
        return tuple(
            path for path, entry in self.entries.items() if entry.form is Form.FOLDER and path not in parents
        )

    def obstacle(self, path: str) -> str:
        """What keeps a file from being written at `path`; empty when nothing does.

        That is a folder at the path itself, or anything but a folder on the way to it.
        """
        for parent in PurePosixPath(path).parents:
            entry = self.entries.get(str(parent))
            if entry is not None and entry.form is not Form.FOLDER:
                return str(parent)
        here = self.entries.get(path)
        return path if here is not None and here.form is Form.FOLDER else ""
