"""A finding about a value of the profile, at the line where it was written."""

from collections.abc import Callable, Iterator, Sequence

from loom.deploy.plan.model import Plan
from loom.deploy.profile.model import Profile, Workload
from loom.deploy.profile.overrides import FLAG
from loom.deploy.profile.tree import Path, Place, spell
from loom.errors import Problem

Check = Callable[[Plan], Iterator[Problem]]
"""Looks at one matter and yields what is wrong with it."""


WORKLOAD = tuple(f"workload.{name}" for name in Workload.model_fields)
"""Every value of the expected load."""


def at(profile: Profile, path: str, message: str, hint: str = "", causes: Sequence[str] = ()) -> Problem:
    """A problem with the value at `metrics.retention.size`; file and line when they are known.

    `causes` are the other values that it follows from. A base is in order, so that what comes from one is no
    place to look at: then the problem is at the first cause that was written on the command line, or else in
    the profile itself; without any, it says which profile is refused. A default stands nowhere: there the
    place is that of the first such cause, or else of the profile's name.
    """
    place = profile.place(_keys(path))
    if place is None:
        cause = _written_here(profile, causes)
        said = f"{message}; this follows from {cause}" if cause else message
        return _problem(profile.place(_keys(cause or "name")), path, said, hint)
    base = place if _inherited(profile, place) else None
    if base is None:
        return _problem(place, path, message, hint)
    own = _written_here(profile, causes)
    if own is None:
        return _problem(base, path, f"{message}; profile {profile.name} has this value from here", hint)
    source = f"profile {profile.name} has {path} from {base.file}:{base.line}"
    return _problem(profile.place(_keys(own)), own, f"{message}; {source}", f"{path}: {hint}")


def _problem(place: Place | None, path: str, message: str, hint: str) -> Problem:
    shown = spell(_keys(path))
    if place is None:
        return Problem(message, path=shown, hint=hint)
    return Problem(message, place.file, place.line, place.column, shown, hint)


def _keys(path: str) -> Path:
    return tuple(int(key) if key.isdigit() else key for key in path.split("."))


def _inherited(profile: Profile, place: Place) -> bool:
    """Whether it is in another file than the profile's name, which is never inherited."""
    name = profile.place(("name",))
    return name is not None and place.file not in {name.file, FLAG}


def _written_here(profile: Profile, paths: Sequence[str]) -> str | None:
    """The first of the paths that the command line sets, or else the profile's own file."""
    found = [(path, place) for path in paths if (place := profile.place(_keys(path)))]
    own = [(path, place) for path, place in found if not _inherited(profile, place)]
    return next((path for path, _ in sorted(own, key=lambda one: one[1].file != FLAG)), None)


def written(profile: Profile, path: str) -> bool:
    """Whether the user wrote the value at the path; defaults are nobody's wish."""
    return profile.place(tuple(path.split("."))) is not None


def human(size: float) -> str:
    """Bytes for people: `1.5 GiB`; units are 2¹⁰ apart and named so, whatever a profile calls them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{_digits(size)} {unit}"
        size /= 1024
    return f"{_digits(size)} TiB"


def span(seconds: float) -> str:
    """Seconds for people: `12.5 days`."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{_digits(seconds / length)} {unit}"
    return f"{_digits(seconds)} seconds"


def _digits(number: float) -> str:
    """Three digits, or all of a larger number's whole ones."""
    return f"{number:.3g}" if number < 100 else f"{number:,.0f}"
