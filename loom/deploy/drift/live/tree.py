"""A rendered document against the one a program runs: what is other, missing, or more than was rendered.

Programs add their defaults to what they read. Hence what was rendered must be there; of what was not, all is
reported but known defaults.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from loom.deploy.drift.live.model import ABSENT
from loom.deploy.drift.live.scalar import alike

IDENTITIES = ("job_name", "name", "key", "source_labels")
"""Keys by which an item of a list is known; whichever the item has first."""
_ORDERED = frozenset({"routes", "processors", "attributes", "statements"})
_ORDERED |= frozenset({"relabel_configs", "metric_relabel_configs", "write_relabel_configs"})
"""Keys of lists in which the first that fits wins, or one works on what the one before has left."""
_RECEIVERS = "$.receivers["
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Gap:
    """One place where they differ."""

    path: str
    """`$.scrape_configs[jaeger].static_configs`."""
    rendered: str
    live: str


@dataclass(frozen=True, slots=True)
class Manner:
    """How a program treats its documents."""

    defaults: Mapping[str, tuple[object, ...]]
    """Key → values that the program gives it by itself, wherever it stands."""
    base: str = ""
    """Folder that its relative paths are taken from."""
    filled: frozenset[str] = frozenset()
    """Keys that the program fills by itself below `receivers`, with whatever value."""


def compare(rendered: object, live: object, manner: Manner, path: str = "$") -> Iterator[Gap]:
    """Every gap, in the order of the rendered document."""
    if isinstance(rendered, Mapping) and isinstance(live, Mapping):
        yield from _mappings(rendered, live, manner, path)
    elif _is_list(rendered) and _is_list(live):
        yield from _lists(list(rendered), list(live), manner, path)  # type: ignore[call-overload]  # just asked
    elif not alike(rendered, live, manner.base):
        yield Gap(path, show(rendered), show(live))


def count(document: object) -> int:
    """Values of a document."""
    if isinstance(document, Mapping):
        return sum(count(value) for value in document.values())
    if _is_list(document):
        return sum(map(count, document))  # type: ignore[call-overload]  # as above
    return 1


def show(value: object) -> str:
    """A value on one line, cut when it is long."""
    if isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}: {show(one)}" for key, one in value.items()) + "}"
    elif _is_list(value):
        text = "[" + ", ".join(map(show, value)) + "]"  # type: ignore[call-overload]  # as above
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{text[: _SHOWN - 1]}…" if len(text) > _SHOWN else text


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _mappings(
    rendered: Mapping[str, object], live: Mapping[str, object], manner: Manner, path: str
) -> Iterator[Gap]:
    for key, value in rendered.items():
        if key in live:
            yield from compare(value, live[key], manner, _below(path, key))
        elif value not in (None, [], {}, "", *manner.defaults.get(key, ())):
            yield Gap(_below(path, key), show(value), ABSENT)
    for key in live.keys() - rendered.keys():
        yield from _more(key, live[key], manner, path)


def _below(path: str, key: object) -> str:
    return f"{path}.{key}"


def _more(key: str, value: object, manner: Manner, path: str) -> Iterator[Gap]:
    """What was not rendered, and is no default."""
    if value in manner.defaults.get(key, ()) or (key in manner.filled and path.startswith(_RECEIVERS)):
        return
    if isinstance(value, Mapping):
        for inner, one in value.items():
            yield from _more(inner, one, manner, _below(path, key))
    elif value not in (None, [], ""):
        yield Gap(_below(path, key), ABSENT, show(_own(value, manner)))


def _lists(rendered: list[object], live: list[object], manner: Manner, path: str) -> Iterator[Gap]:
    """Items by their identity where they have one, else by position among those that differ."""
    pairs, ours, theirs = _paired(rendered, live)
    for name, one, other in pairs:
        yield from compare(one, other, manner, f"{path}[{name}]")
    ours, theirs = _fitting(ours, theirs, manner, path)
    if path.rpartition(".")[2] in _ORDERED and not (ours or theirs) and _moved(rendered, live, manner, path):
        yield Gap(f"{path} (order)", show(rendered), show([_own(one, manner) for one in live]))
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        yield from compare(one, other, manner, f"{path}[{_label(one, number)}]")
    for one in ours[len(theirs) :]:
        yield Gap(f"{path}[{_label(one, '')}]", show(one), ABSENT)
    for other in theirs[len(ours) :]:
        yield Gap(f"{path}[{_label(other, '')}]", ABSENT, show(_own(other, manner)))


def _own(value: object, manner: Manner) -> object:
    """A value without the program's defaults: what somebody wrote."""
    if isinstance(value, Mapping):
        kept = {key: one for key, one in value.items() if one not in manner.defaults.get(key, ())}
        return {key: _own(one, manner) for key, one in kept.items()}
    return [_own(one, manner) for one in value] if _is_list(value) else value  # type: ignore[attr-defined]  # as above


Pair = tuple[str, object, object]


def _paired(rendered: list[object], live: list[object]) -> tuple[list[Pair], list[object], list[object]]:
    """Items of one name on both sides, and what is left on either; names that occur once only."""
    names, others = _names(rendered), _names(live)
    both = [one for one in names if one and names.count(one) == 1 == others.count(one)]
    pairs = [(one, rendered[names.index(one)], live[others.index(one)]) for one in both]
    left = [item for name, item in zip(names, rendered, strict=True) if name not in both]
    return pairs, left, [item for name, item in zip(others, live, strict=True) if name not in both]


def _names(items: list[object]) -> list[str]:
    return [_name(item) for item in items]


def _name(item: object) -> str:
    if not isinstance(item, Mapping):
        return ""
    return next((str(item[key]) for key in IDENTITIES if key in item), "")


def _label(item: object, number: object) -> str:
    return _name(item) or str(number)


def _moved(rendered: list[object], live: list[object], manner: Manner, path: str) -> bool:
    """Whether an item stands where another one was rendered, of lists with the same items."""
    if any(_names(rendered)):
        return _names(rendered) != _names(live)
    return any(any(compare(one, other, manner, path)) for one, other in zip(rendered, live, strict=True))


def _fitting(
    ours: list[object], theirs: list[object], manner: Manner, path: str
) -> tuple[list[object], list[object]]:
    """Both without the items that fit each other."""
    left, others = [], list(theirs)
    for one in ours:
        fits = next((k for k, other in enumerate(others) if not any(compare(one, other, manner, path))), None)
        if fits is None:
            left.append(one)
        else:
            del others[fits]
    return left, others
