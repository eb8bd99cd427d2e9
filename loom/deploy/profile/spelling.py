"""How values are shown in messages, and what a misspelt word was meant to be."""

import json
from collections.abc import Collection, Iterable
from difflib import get_close_matches

_LONGEST = 60


def show(value: object) -> str:
    """A value as it stands in YAML, on one line, shortened; control characters escaped."""
    if isinstance(value, (dict, list, tuple)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def meant(written: str, known: Iterable[str]) -> str:
    """`did you mean 'tracing'?`, or what there is when nothing is close; empty when there is nothing."""
    names = list(known)
    folded = {name.lower(): name for name in names}
    close = get_close_matches(written.lower()[:_LONGEST], folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    return f"there are {', '.join(names)}" if names else ""


def nearest(word: str, known: Collection[str]) -> str:
    """`did you mean 'jaeger'?`, or all that there are; in contrast to `meant`, case counts."""
    close = get_close_matches(word, [str(each) for each in known], 1)
    return f"did you mean {close[0]!r}?" if close else f"one of {', '.join(known)}"
