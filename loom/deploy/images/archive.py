"""A bundle on disk: a tar archive whose first member is the manifest; written whole or not at all."""

import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import IO

from loom.deploy.images.manifest import LARGEST, NAME, Manifest, Member, parse
from loom.deploy.writer.replacement import replacing
from loom.errors import InputError, Problem, WriteError

CHUNK = 2**20


def measure(path: Path) -> Member:
    """Size and checksum of a file."""
    with path.open("rb") as stream:
        return Member(path.stat().st_size, file_digest(stream, "sha256").hexdigest())


def write(file: Path, manifest: Manifest, sources: Mapping[str, Path]) -> None:
    """Write the bundle, its members from the files in `sources`; WriteError, and then no file is there."""
    with writable(file), replacing(file) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        text = manifest.text().encode()
        with tempfile.TemporaryFile() as head:
            head.write(text)
            head.seek(0)
            tar.addfile(_entry(NAME, len(text)), head)
        for name, member in manifest.members.items():
            with sources[name].open("rb") as source:
                tar.addfile(_entry(name, member.size), source)


def extract(file: Path, folder: Path, expected: str = "") -> Manifest:
    """Take a bundle apart into `folder`, comparing every checksum on the way.

    InputError with all that is wrong; what was extracted until then is in `folder` and must not be used.
    `expected` is the manifest's own sha256, when the user has it from elsewhere.
    """
    try:
        with writable(folder), tarfile.open(file, "r:") as tar:
            manifest = _manifest(tar, file, expected)
            problems = list(_members(tar, manifest, folder, file))
    except FileNotFoundError:
        raise InputError(Problem("there is no such file", str(file))) from None
    except (tarfile.TarError, EOFError) as error:
        raise InputError(Problem(f"is no bundle, or only a part of one: {error}", str(file))) from None
    if problems:
        raise InputError(*problems)
    return manifest


def _manifest(tar: tarfile.TarFile, file: Path, expected: str) -> Manifest:
    first = tar.next()
    stream = tar.extractfile(first) if first and first.name == NAME and first.size <= LARGEST else None
    if stream is None:
        raise InputError(Problem(f"is no bundle: its first member is not {NAME}", str(file)))
    data = stream.read()
    found = sha256(data).hexdigest()
    if expected and found != expected.lower():
        hint = "it is another bundle than the one that was meant; nothing was loaded"
        raise InputError(Problem(f"has the manifest {found}, not {expected}", str(file), hint=hint))
    return parse(data, str(file))


def _members(tar: tarfile.TarFile, manifest: Manifest, folder: Path, file: Path) -> Iterator[Problem]:
    seen = set()
    while (entry := tar.next()) is not None:
        member = manifest.members.get(entry.name)
        if member is None or not entry.isreg() or entry.name in seen:
            yield Problem(f"has a member that its manifest does not know: {entry.name!r}", str(file))
            continue
        seen.add(entry.name)
        stream = tar.extractfile(entry)
        assert stream is not None  # noqa: S101 - only members that are no files have none
        if _take(stream, folder / entry.name) != member:
            yield Problem(f"{entry.name} is damaged, or was changed: its checksum is another", str(file))
    for name in sorted(set(manifest.members) - seen):
        yield Problem(f"{name} is missing", str(file), hint="the bundle is only a part of one: copy it again")


def _take(stream: IO[bytes], target: Path) -> Member:
    target.parent.mkdir(parents=True, exist_ok=True)
    total, size = sha256(), 0
    with target.open("xb") as out:
        while chunk := stream.read(CHUNK):
            total.update(chunk)
            size += out.write(chunk)
    return Member(size, total.hexdigest())


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """A disk that is full, or a folder that may not be written, is a WriteError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if isinstance(error, tarfile.TarError) or error.errno is None:
            raise
        raise WriteError(Problem(f"cannot be written: {error.strerror}", str(path))) from None
