"""The manifest of a bundle: what is in it, with the sha256 of every member. Pure text and data."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from loom.errors import InputError, Problem

FORMAT = 1
NAME = "manifest.json"
IMAGES = "images.tar"
WHEELS = "wheels/"
PROFILE = "profile/"
LARGEST = 2**20
"""Bytes a manifest may have: it is read before anything is known of a bundle."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle holds."""

    profile: str
    """Name of the profile."""
    images: Mapping[str, str]
    """Reference → image id."""
    missing: tuple[str, ...] = ()
    """References of the deployment that are not in the bundle."""
    members: Mapping[str, Member] = field(default_factory=dict)
    """Path in the bundle → its size and checksum; the manifest itself apart."""

    def text(self) -> str:
        """As it stands in the bundle; the same content gives the same bytes."""
        members = {
            name: {"size": member.size, "sha256": member.sha256} for name, member in self.members.items()
        }
        document = {
            "format": FORMAT,
            "profile": self.profile,
            "images": dict(self.images),
            "missing": list(self.missing),
            "members": members,
        }
        return json.dumps(document, indent=1, sort_keys=True) + "\n"

    def sha256(self) -> str:
        """Checksum of the manifest, and so of the whole bundle: to be carried on another way than that."""
        return sha256(self.text().encode()).hexdigest()


def parse(data: bytes, file: str) -> Manifest:
    """The manifest from a bundle's bytes; InputError when it is none, or names a path outside its folders."""
    try:
        document = json.loads(data)
        form, manifest = document["format"], _read(document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(Problem("is no bundle: its manifest cannot be read", file)) from None
    if form != FORMAT:
        hint = "take the loom-deploy that it was made with"
        raise InputError(Problem(f"is a bundle of format {form}, not {FORMAT}", file, hint=hint))
    strange = [name for name in manifest.members if not _inside(name)]
    if strange:
        raise InputError(
            *(Problem(f"has a member that does not belong into a bundle: {name!r}", file) for name in strange)
        )
    return manifest


def _read(document: Any) -> Manifest:  # noqa: ANN401 - JSON of any shape; what does not fit is refused
    members = {
        str(name): Member(int(one["size"]), str(one["sha256"])) for name, one in document["members"].items()
    }
    if not all(_SHA256.fullmatch(member.sha256) for member in members.values()):
        raise ValueError
    images = {str(reference): str(identity) for reference, identity in document["images"].items()}
    return Manifest(str(document["profile"]), images, tuple(map(str, document["missing"])), members)


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name:
        return False
    return name == IMAGES or (name.startswith((WHEELS, PROFILE)) and len(path.parts) > 1)
