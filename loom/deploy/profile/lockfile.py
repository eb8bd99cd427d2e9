"""The lock file of a profile's images, `NAME.images.lock` beside it: the digest behind each reference.

    registry: registry.example:5000
    images:
      prom/prometheus:v3.16.0: sha256:…

`loom-deploy images lock` writes it; a plan takes it, so that what is rendered names exactly these images.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loom.deploy.profile.document import parse
from loom.deploy.profile.source import exists, find, read
from loom.deploy.profile.tree import Node
from loom.errors import Problem, ProfileError

SUFFIX = ".images.lock"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_KEYS = ("registry", "images")
_AGAIN = "write it with: loom-deploy images lock"


@dataclass(frozen=True, slots=True)
class Pins:
    """What a lock file says."""

    registry: str = ""
    """`host:port` that the images come from; empty for where their references say."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """`name:tag` → `sha256:…`."""
    file: str = ""
    """Where it was read; empty when there is none."""

    def text(self) -> str:
        """The lock file; the same pins give the same bytes."""
        lines = ["# Written by loom-deploy images lock: the image that each reference stands for."]
        if self.registry:
            lines.append(f'registry: "{self.registry}"')
        lines += ["images:", *(f'  "{name}": {digest}' for name, digest in sorted(self.digests.items()))]
        return "\n".join(lines) + "\n"


def place(source: Path | str, folder: Path | None = None) -> Path:
    """Where the lock file of a profile, given as `load` takes it, lies; it need not exist."""
    return lock_of(find(source, folder))


def lock_of(profile: Path) -> Path:
    """The lock file beside a profile's file."""
    return profile.with_name(f"{profile.stem}{SUFFIX}")


def pins(source: Path | str, folder: Path | None = None) -> Pins:
    """The pins of a profile, none when it has no lock file; ProfileError with all that is wrong in it."""
    path = place(source, folder)
    return parsed(read(path), str(path)) if exists(path) else Pins()


def parsed(text: str, file: str) -> Pins:
    """The pins in a lock file's text; ProfileError with all that is wrong in it."""
    node, problems = parse(text, file)
    problems = [*problems, *_problems(node)]
    if problems:
        raise ProfileError(*problems)
    registry, images = node.child("registry"), node.child("images")
    digests = {name: str(entry.node.value) for name, entry in images.entries.items()} if images else {}
    return Pins(str(registry.value) if registry else "", digests, file)


def _problems(node: Node) -> Iterator[Problem]:
    images, registry = node.child("images"), node.child("registry")
    if images is None or not isinstance(images.value, Mapping):
        yield _at(images or node, "$.images", "must say a digest for each image")
        return
    for key, entry in node.entries.items():
        if key not in _KEYS:
            yield _at(entry.node, f"$.{key}", "is no key of a lock file")
    if registry is not None and not REGISTRY.fullmatch(str(registry.value)):
        yield _at(registry, "$.registry", "is not host:port")
    for name, entry in images.entries.items():
        if not DIGEST.fullmatch(str(entry.node.value)):
            yield _at(entry.node, f"$.images[{name!r}]", "is not `sha256:` with 64 hexadecimal digits")


def _at(node: Node, path: str, message: str) -> Problem:
    return Problem(message, node.place.file, node.place.line, node.place.column, path, _AGAIN)
