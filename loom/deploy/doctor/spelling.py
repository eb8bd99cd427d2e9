"""Under which names Loom's series stand somewhere: found out from the names alone. Pure."""

import re
from collections import Counter
from collections.abc import Iterable

from loom.contract import metrics
from loom.contract.naming import Naming, Style

_TOKEN = re.compile(r"[A-Za-z_:][\w:]*")


def _series(style: Style) -> frozenset[str]:
    naming = Naming(style)
    return frozenset(series.name for metric in metrics.ALL for series in naming.all_series(metric))


_KNOWN = {style: _series(style) for style in Style}


def loom(names: Iterable[str]) -> frozenset[str]:
    """Those of the names that are series of Loom's, in any style and below any namespace."""
    return frozenset(name for name in names if any(_namespace(name, style) is not None for style in Style))


def spelled(names: Iterable[str], namespace: str = "") -> Naming | None:
    """The naming that most of the names follow, of those with the namespace if there are any.

    None when no name is Loom's. A store remembers names of before: some with the namespace are enough.
    """
    found: Counter[Naming] = Counter()
    for name in names:
        for style in Style:
            before = _namespace(name, style)
            if before is not None:
                found[Naming(style, before)] += 1
    preferred = [naming for naming in found if naming.namespace == namespace] or list(found)
    return min(preferred, key=lambda naming: (-found[naming], naming.namespace, naming.style), default=None)


def fits(names: Iterable[str], naming: Naming) -> bool:
    """Whether all the names, each one of Loom's, are series under that naming; many are under two styles."""
    return all(_namespace(name, naming.style) == naming.namespace for name in names)


def tokens(query: str) -> set[str]:
    """Every word of a query that could be the name of a series."""
    return set(_TOKEN.findall(query))


def _namespace(name: str, style: Style) -> str | None:
    """What stands before a series of ours; empty for nothing, None when it is none of ours."""
    if ":" in name:
        return None  # recorded by a rule: named by us, whatever the collector does
    known = _KNOWN[style]
    if name in known:
        return ""
    cut = name.find("_")
    while cut >= 0:
        if name[cut + 1 :] in known:
            return name[:cut]
        cut = name.find("_", cut + 1)
    return None
