"""From a profile's name to its file, and the bytes of a file: all that this room does to a disk is here."""

import re
from collections.abc import Iterator
from pathlib import Path

from loom.deploy.profile import forms
from loom.deploy.profile.spelling import meant
from loom.errors import Problem, ProfileError

MAX_BYTES = 2**20
SUFFIX = ".yaml"
_SUFFIXES = (SUFFIX, ".yml")


def find(source: Path | str, folder: Path | None = None) -> Path:
    """The file of a profile: a path as it is, a name from the folders of profiles.

    Text is a path when it ends in `.yaml` or `.yml`, and otherwise a name, which cannot leave those folders.
    ProfileError for a name that is none or that no folder has; a path is looked at when it is read.
    """
    if isinstance(source, Path) or source.endswith(_SUFFIXES):
        return Path(source)
    if not re.fullmatch(forms.NAME, source):
        hint = f"write {forms.WORDS[forms.NAME]}; a path to a file ends in {SUFFIX}"
        raise ProfileError(Problem(f"{source!r} is not a profile's name", hint=hint))
    found = lookup(source, folder)
    if found is None:
        raise ProfileError(Problem(f"there is no profile {source!r}", hint=meant(source, names(folder))))
    return found


def lookup(name: str, folder: Path | None = None) -> Path | None:
    """The file of a name in the first folder that has it; None when none has."""
    paths = (place / f"{name}{SUFFIX}" for place in _folders(folder))
    return next((path for path in paths if exists(path)), None)


def exists(path: Path) -> bool:
    """Whether there is such a file, also when it may not be looked at: reading it then says why."""
    try:
        return path.exists()
    except PermissionError:
        return True
    except OSError:  # such as a name that is too long
        return False


def names(folder: Path | None = None) -> list[str]:
    """The names of all profiles, sorted; hidden files are an editor's or the system's own."""
    found = (path for place in _folders(folder) for path in place.glob(f"*{SUFFIX}"))
    return sorted({path.stem for path in found if not path.name.startswith(".")})


def _folders(folder: Path | None) -> Iterator[Path]:
    if folder:
        yield folder
        return
    # A user's own first, then ours: a wheel carries them inside the package, a checkout beside it.
    yield Path("profiles")
    package = Path(__file__).parents[2]
    inside = package / "_profiles"
    yield inside if inside.is_dir() else package.parent / "profiles"


def read(path: Path) -> str:
    """The text of a profile; ProfileError when it cannot be read, is too large, or is no text."""
    return _text(_bytes(path), str(path))


def _bytes(path: Path) -> bytes:
    file = str(path)
    try:
        # Asked first: opening a pipe would wait for its writer.
        if path.exists() and not path.is_file():
            raise ProfileError(Problem("is not a file", file, hint="name a YAML file"))
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ProfileError(Problem("there is no such file", file)) from None
    except OSError as error:
        raise ProfileError(Problem(f"cannot be read: {error.strerror}", file)) from None
    if len(data) > MAX_BYTES:
        raise ProfileError(Problem("is larger than 1 MiB, the most a profile may be", file))
    return data


def _text(data: bytes, file: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProfileError(Problem("is not text in UTF-8", file, line)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ProfileError(Problem("is not text: it has a NUL byte", file, line))
    return text
