"""The writer: a folder brought to what is rendered, whole or not at all, with the user's own files kept."""

from loom.deploy.writer.changes import Changes, State, plan_changes
from loom.deploy.writer.commit import commit, inspect
from loom.deploy.writer.difference import difference
from loom.deploy.writer.fault import FaultyDisk
from loom.deploy.writer.filesystem import Disk, Filesystem
from loom.deploy.writer.manifest import NAME as MANIFEST
from loom.deploy.writer.manifest import Manifest

__all__ = [
    "MANIFEST",
    "Changes",
    "Disk",
    "FaultyDisk",
    "Filesystem",
    "Manifest",
    "State",
    "commit",
    "difference",
    "inspect",
    "plan_changes",
]
