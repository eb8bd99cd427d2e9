"""The fake that ships with the `Daemon` seam: images in memory, and a registry for what is pushed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from loom.deploy.images.model import Present
from loom.errors import EngineError


@dataclass(slots=True)
class FakeDaemon:
    """An engine with nothing in it but what tests put there."""

    images: dict[str, Present] = field(default_factory=dict)
    """Reference → image."""
    registry: dict[str, Present] = field(default_factory=dict)
    """What can be pulled, by reference."""
    engine: str = "linux/amd64"
    answers: Mapping[str, str] = field(default_factory=dict)
    """Reference → what commands in it print."""
    failure: str = ""
    """When set, `build`, `save` and `load` fail with it."""
    done: list[str] = field(default_factory=list)
    """`build prom/prometheus:v3.16.0`, `push …`, in order."""

    def platform(self) -> str:
        """See `Daemon.platform`."""
        return self.engine

    def inspect(self, reference: str) -> Present | None:
        """See `Daemon.inspect`."""
        return self.images.get(reference)

    def build(self, context: Path, tag: str, labels: Mapping[str, str], arguments: Mapping[str, str]) -> None:
        """See `Daemon.build`: the id is a digest of the Dockerfile, the labels and the arguments."""
        self._do(f"build {tag}")
        made_of = ((context / "Dockerfile").read_text(), sorted(labels.items()), sorted(arguments.items()))
        self.images[tag] = Present(f"sha256:{_digest(repr(made_of))}", 1, dict(labels))

    def import_archive(self, archive: Path, tag: str, changes: Sequence[str]) -> None:
        """See `Daemon.import_archive`."""
        self._do(f"import {tag}")
        self.images[tag] = Present(f"sha256:{_digest(repr((archive.stat().st_size, changes)))}", 1)

    def answer(self, reference: str, *command: str) -> str:
        """See `Daemon.answer`."""
        del command
        return self.answers[reference]

    def tag(self, reference: str, other: str) -> None:
        """See `Daemon.tag`."""
        self.images[other] = self.images[reference]

    def remove(self, identity: str) -> None:
        """See `Daemon.remove`."""
        self.done.append(f"remove {identity}")

    def pull(self, reference: str) -> None:
        """See `Daemon.pull`."""
        if reference not in self.registry:
            message = f"{reference} cannot be pulled"
            raise EngineError(message)
        self.done.append(f"pull {reference}")
        self.images[reference] = self.registry[reference]

    def push(self, reference: str) -> None:
        """See `Daemon.push`: the digest is one of the id."""
        self._do(f"push {reference}")
        here = self.images[reference]
        digest = f"{reference.rpartition(':')[0]}@sha256:{_digest(here.id)}"
        self.registry[reference] = replace(here, digests=(*here.digests, digest))
        self.images[reference] = self.registry[reference]

    def save(self, references: Sequence[str], archive: Path) -> None:
        """See `Daemon.save`."""
        self._do("save")
        archive.write_text(json.dumps({name: self.images[name].id for name in references}))

    def load(self, archive: Path) -> None:
        """See `Daemon.load`."""
        self._do("load")
        for reference, identity in json.loads(archive.read_text()).items():
            self.images[reference] = Present(identity, 1)

    def _do(self, what: str) -> None:
        if self.failure:
            raise EngineError(self.failure)
        self.done.append(what)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
