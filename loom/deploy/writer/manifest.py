"""The manifest: which files of a rendered folder are ours, and what we wrote there. Pure text."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath

from loom.deploy.artifacts.model import Artifact

NAME = ".loom-manifest.json"
"""The manifest's own path below the rendered folder."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, 64 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """Path below the folder → SHA-256 of what was rendered there last. No versions, no dates."""

    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, artifacts: Iterable[Artifact]) -> "Manifest":
        """What the manifest says when every artifact is on disk as rendered."""
        return cls({artifact.path: digest(artifact.text) for artifact in artifacts})

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """Read it back; ValueError when it is not one of ours, or names a path outside the folder."""
        document = json.loads(text)
        files = document.get("files") if isinstance(document, dict) else None
        if not isinstance(files, dict):
            message = "it has no object 'files'"
            raise ValueError(message)  # noqa: TRY004 - what is wrong is the text, not a type in our program
        for path, value in files.items():
            _check(path, value)
        return cls(files)

    def __str__(self) -> str:
        """As JSON, sorted, newline at the end."""
        return json.dumps({"files": dict(sorted(self.digests.items()))}, indent=2, ensure_ascii=False) + "\n"


def _check(path: str, value: object) -> None:
    """A manifest decides what we remove: it is believed only as far as the folder reaches."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or str(pure) != path:
        message = f"{path!r} is not a path below the folder"
        raise ValueError(message)
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        message = f"the hash of {path!r} is not 64 hexadecimal digits"
        raise ValueError(message)
