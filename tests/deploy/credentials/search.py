"""Looks for secrets where none may be: in files, in what processes show, in what programs answer.

A secret is looked for in every form in which it could get out: as it is, quoted for a URL, in JSON, and as
the `Authorization` header of basic authentication carries it. Of a private key each line is a secret.
"""

import json
import os
import re
import urllib.parse
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\n(.*?)\n-----END", re.DOTALL)
_HASH = re.compile(rb"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_PUBLIC = {"ca.pem", ".gitignore"}
_SHORTEST = 16
"""Characters that are no coincidence."""


@dataclass(frozen=True)
class Needle:
    """One form of one secret."""

    name: str
    """`grafana/password as base64`: what is reported, instead of the secret."""
    text: bytes = field(repr=False)


@dataclass(frozen=True)
class Leak:
    """A secret where it may not be."""

    secret: str
    place: str


def needles(vault: Path) -> list[Needle]:
    """Every form of every secret below a folder of credentials."""
    files = sorted(path for path in vault.resolve().rglob("*") if path.is_file() and path.name not in _PUBLIC)
    return [one for path in files for one in _forms(path) if len(one.text) >= _SHORTEST]


def _forms(path: Path) -> Iterator[Needle]:
    name, content = f"{path.parent.name}/{path.name}", path.read_bytes()
    if path.suffix == ".pem":
        for block in _KEY.findall(content):
            yield from (Needle(f"{name} line {n}", line) for n, line in enumerate(block.splitlines()))
        return
    hashes = _HASH.findall(content)
    if hashes:
        yield from (Needle(f"{name} hash {n}", one) for n, one in enumerate(hashes))
        return
    for secret in content.split():
        yield Needle(name, secret)
        text = secret.decode()
        for form, other in (
            ("in JSON", json.dumps(text)[1:-1]),
            ("in a URL", urllib.parse.quote(text, safe="")),
            ("as basic authentication", b64encode(f"{path.parent.name}:{text}".encode()).decode()),
            ("in base64", b64encode(text.encode()).decode().rstrip("=")),
        ):
            if other != text:
                yield Needle(f"{name} {form}", other.encode())


def written(path: Path) -> bytes:
    """What a file holds but for its holes: Badger sets aside gigabytes, in which there is nothing to find."""
    parts: list[bytes] = []
    position = 0
    with path.open("rb", buffering=0) as file:
        while True:
            try:
                begin = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:  # nothing but a hole, or the end
                return b"\0".join(parts)
            end = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            parts.append(os.pread(file.fileno(), end - begin, begin))
            position = begin + len(parts[-1])  # one read may be less than was asked for


@dataclass
class Search:
    """What is looked for, what was found, and how much was looked at: a look at nothing is no proof."""

    wanted: list[Needle]
    leaks: set[Leak] = field(default_factory=set)
    looked: dict[str, int] = field(default_factory=dict)
    """Kind of place -> bytes."""

    def text(self, kind: str, place: str, content: bytes | str) -> None:
        """Look at one text."""
        data = content.encode(errors="surrogateescape") if isinstance(content, str) else content
        self.looked[kind] = self.looked.get(kind, 0) + len(data)
        self.leaks |= {Leak(one.name, f"{kind}: {place}") for one in self.wanted if one.text in data}

    def files(self, root: Path, but: Path) -> None:
        """Look at every file below a folder, and at its name, but not into the folder of the secrets."""
        hidden = but.resolve()
        for path in sorted(root.rglob("*")):
            if path.resolve().is_relative_to(hidden) or not path.is_file():
                continue
            self.text("file", str(path), written(path))
            self.text("file name", str(path), str(path))

    def processes(self, found: Iterable[psutil.Process]) -> None:
        """Look at what each process was started with: arguments, and environment as well."""
        for process in found:
            try:
                self.text("arguments", str(process.pid), "\0".join(process.cmdline()))
                environ = process.environ()
            except psutil.Error:
                continue
            self.text("environment", str(process.pid), "\0".join(f"{k}={v}" for k, v in environ.items()))
