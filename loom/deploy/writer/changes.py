"""What a render would do to a folder: a pure comparison of disk, manifest and artifacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from loom.deploy.artifacts.model import Artifact
from loom.deploy.writer.manifest import NAME, Manifest, digest
from loom.deploy.writer.snapshot import Snapshot
from loom.errors import Problem, WriteError


class State(StrEnum):
    """What becomes of one file."""

    CREATED = "created"
    """Rendered, and not on disk."""
    UPDATED = "updated"
    """Rendered, and on disk as an earlier render left it."""
    UNCHANGED = "unchanged"
    """On disk as rendered."""
    EDITED = "edited by hand"
    """Rendered, and on disk something that no render wrote: kept."""
    STALE = "removed"
    """Ours, no longer rendered, and as we left it: removed."""
    ABANDONED = "no longer rendered, edited by hand"
    """Ours, no longer rendered, and changed since: kept."""
    FOREIGN = "yours"
    """Not ours: kept, whatever it is."""


_KEPT = {State.UNCHANGED, State.EDITED, State.ABANDONED, State.FOREIGN}
_BY_HAND = {State.EDITED: State.UPDATED, State.ABANDONED: State.STALE}


@dataclass(frozen=True, slots=True)
class Changes:
    """Every path of the folder and what becomes of it."""

    states: Mapping[str, State]
    """Path → state, sorted by path; folders are not in it."""
    texts: Mapping[str, str]
    """Path → text, of everything that is rendered."""
    manifest: Manifest
    """The manifest as it must be afterwards."""
    manifest_current: bool
    """Whether the manifest on disk says exactly that already."""

    def paths(self, *states: State) -> tuple[str, ...]:
        """The paths in one of the states."""
        return tuple(path for path, state in self.states.items() if state in states)

    @property
    def written(self) -> tuple[str, ...]:
        """Paths whose rendered text goes to disk."""
        return self.paths(State.CREATED, State.UPDATED)

    @property
    def kept(self) -> tuple[str, ...]:
        """Paths that stay as they are on disk."""
        return self.paths(*_KEPT)

    @property
    def by_hand(self) -> tuple[str, ...]:
        """Files of ours that somebody edited: reported, and kept unless forced."""
        return self.paths(*_BY_HAND)

    @property
    def needed(self) -> bool:
        """Whether anything on disk has to change."""
        return bool(self.written or self.paths(State.STALE)) or not self.manifest_current

    def drift(self) -> dict[str, State]:
        """Path → state, of every file that is not as it would be rendered; what `--check` reports."""
        settled = {State.UNCHANGED, State.FOREIGN}
        drifted = {path: state for path, state in self.states.items() if state not in settled}
        if not drifted and not self.manifest_current:
            drifted[NAME] = State.UPDATED
        return drifted

    def forced(self) -> "Changes":
        """The same with hand-edited files of ours overwritten, or removed when no longer rendered."""
        states = {path: _BY_HAND.get(state, state) for path, state in self.states.items()}
        digests = {path: digest(text) for path, text in self.texts.items()}
        same = self.manifest_current and dict(self.manifest.digests) == digests
        return replace(self, states=states, manifest=Manifest(digests), manifest_current=same)


def plan_changes(snapshot: Snapshot, artifacts: Sequence[Artifact], manifest: Manifest) -> Changes:
    """Compare; WriteError when something that is not a file stands where a file has to go."""
    texts = {artifact.path: artifact.text for artifact in artifacts}
    _refuse_obstacles(snapshot, texts)
    files = {path: entry.digest for path, entry in snapshot.files().items() if path != NAME}
    states = {
        path: _state(files.get(path), texts.get(path), manifest.digests.get(path))
        for path in sorted({*files, *texts})
    }
    target = _target(states, texts, manifest)
    entry = snapshot.entries.get(NAME)
    current = entry is not None and entry.digest == digest(str(target))
    return Changes(states, texts, target, current)


def _state(on_disk: str | None, text: str | None, recorded: str | None) -> State:
    """One file: the digest on disk, the text to render and the digest of the last render, None for none."""
    if text is None:
        if recorded is None:
            return State.FOREIGN
        return State.STALE if on_disk == recorded else State.ABANDONED
    if on_disk is None:
        return State.CREATED
    if on_disk == digest(text):
        return State.UNCHANGED
    return State.UPDATED if on_disk == recorded else State.EDITED


def _target(states: Mapping[str, State], texts: Mapping[str, str], manifest: Manifest) -> Manifest:
    """The manifest afterwards: a kept edit keeps the hash of what we wrote there, so it stays an edit."""
    digests: dict[str, str] = {}
    for path, state in states.items():
        if state in {State.EDITED, State.ABANDONED}:
            if path in manifest.digests:
                digests[path] = manifest.digests[path]
        elif path in texts:
            digests[path] = digest(texts[path])
    return Manifest(digests)


def _refuse_obstacles(snapshot: Snapshot, texts: Mapping[str, str]) -> None:
    blocked = {path: snapshot.obstacle(path) for path in (NAME, *texts)}
    problems = [
        Problem(f"{obstacle} is in the way of {path}", file=obstacle, hint="move it elsewhere")
        for path, obstacle in blocked.items()
        if obstacle
    ]
    if problems:
        raise WriteError(*problems)
