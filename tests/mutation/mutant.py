"""Every small change to an alert that somebody might make by mistake."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.mutation.token import COMPARISONS, MATCHERS, Token, grouped, matchers, replaced, tokenize

Rule = Mapping[str, Any]
"""An alert as its rule file has it."""
FACTOR = 1.25
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_RECORDED = re.compile(r"(:rate|:count|:ratio)(5m|30m|1h|2h|6h|1d|3d)$")
_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_SETS = {"and": "or", "or": "and", "unless": "and"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One alert, changed."""

    alert: str
    operator: str
    """What kind of change: `threshold`."""
    change: str
    """The change itself: `0.7 -> 0.875 (2)`; the number says which of several."""
    rule: Rule

    @property
    def name(self) -> str:
        """Alert, kind and change."""
        return f"{self.alert}: {self.operator}: {self.change}"


def mutants(rule: Rule) -> Iterator[Mutant]:
    """All of one rule, each name once."""
    seen: dict[str, int] = {}
    for operator, change, parts in (*_expressions(rule["expr"]), *_patience(rule), *_labels(rule)):
        number = seen[f"{operator}{change}"] = seen.get(f"{operator}{change}", 0) + 1
        marked = f"{change} ({number})" if number > 1 else change
        yield Mutant(rule["alert"], operator, marked, {**rule, **parts})


_Change = tuple[str, str, dict[str, Any]]


def _expressions(text: str) -> Iterator[_Change]:
    tokens = tokenize(text)
    for change in (_comparisons, _thresholds, _windows, _sets, _matchers, _groupings):
        for token, new in change(text, tokens):
            yield change.__name__.strip("_")[:-1], token, {"expr": new}


def _put(text: str, token: Token, new: str) -> tuple[str, str]:
    return f"{token.text} -> {new}", replaced(text, token, new)


def _comparisons(text: str, tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for token, after in pairwise(tokens):
        if token.text in COMPARISONS and not token.inside:
            yield _put(text, token, COMPARISONS[token.text])
            if after.text == "0" and token.text in {">", "<"}:
                yield _put(text, token, f"{token.text}=")


def _thresholds(text: str, tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for before, token in pairwise(tokens):
        if token.kind != "number" or before.kind != "operator" or before.inside:
            continue
        value = float(token.text)
        if value:
            yield _put(text, token, f"{value * FACTOR:.15g}")
            yield _put(text, token, f"{value / FACTOR:.15g}")
        elif before.text in COMPARISONS:
            yield _put(text, token, "1")


def _windows(text: str, tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for token in tokens:
        if token.kind == "window":
            span, colon, step = token.text[1:-1].partition(":")
            seconds = _seconds(span)
            yield _put(text, token, f"[{seconds * 2}s{colon}{step}]")
            yield _put(text, token, f"[{seconds // 2}s{colon}{step}]")
        if token.kind == "duration":
            seconds = _seconds(token.text)
            yield _put(text, token, f"{seconds * 2}s")
            yield _put(text, token, f"{seconds // 2}s")
        recorded = _RECORDED.search(token.text)
        if token.kind == "word" and recorded:
            at = _WINDOWS.index(recorded[2])
            for other in {max(at - 1, 0), min(at + 1, len(_WINDOWS) - 1)} - {at}:
                yield _put(text, token, _RECORDED.sub(rf"\g<1>{_WINDOWS[other]}", token.text))


def _sets(text: str, tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for token in tokens:
        if token.text in _SETS:
            yield _put(text, token, _SETS[token.text])


def _matchers(text: str, tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for label, operator, value in matchers(tokens):
        name = f"{label.text}{operator.text}{value.text}"
        yield f"{name} -> {MATCHERS[operator.text]}", replaced(text, operator, MATCHERS[operator.text])
        yield f"{name} -> another value", replaced(text, value, value.text[:-1] + '_x"')
        gone = text[: label.start] + text[value.end :].removeprefix(",")
        yield f"{name} -> none", gone.replace(",}", "}")


def _groupings(text: str, tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for label, comma in grouped(tokens):
        first, last = sorted((label, comma or label), key=lambda token: token.start)
        yield f"by {label.text} -> not", text[: first.start] + text[last.end :]


def _patience(rule: Rule) -> Iterator[_Change]:
    held = _seconds(rule["for"])
    for other in (held * 2, held // 2) if held else (300,):
        yield "for", f"{rule['for']} -> {other}s", {"for": f"{other}s"}


def _labels(rule: Rule) -> Iterator[_Change]:
    for name, value in rule["labels"].items():
        other = {"critical": "warning", "warning": "critical"}.get(value, f"{value}_x")
        yield "label", f"{name}={value} -> {other}", {"labels": {**rule["labels"], name: other}}


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * _SECONDS[duration[-1]]
