"""Which traces are kept: parsed from the environment, decided by one compare."""

import re
from dataclasses import dataclass

LOW_BITS = (1 << 64) - 1
"""The part of a trace id that a ratio looks at, as OpenTelemetry's TraceIdRatioBased does."""

_RATIO = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_STANDARD_RATIO = "traceidratio"
_PARENT_BASED = "parentbased_"
_FIXED = {"always_on": 1.0, "always_off": 0.0}


@dataclass(frozen=True, slots=True)
class Sampling:
    """A share of root traces, and whether a parent's decision is followed."""

    ratio: float = 1.0
    """Share of the root traces that is kept, 0 to 1."""
    follow_parent: bool = True
    """Whether a span with a parent is kept exactly when its parent is."""

    @property
    def bound(self) -> int:
        """A root is kept when the low 64 bits of its trace id are below this number."""
        return round(self.ratio * (LOW_BITS + 1))

    @property
    def off(self) -> bool:
        """Whether no span can ever be kept."""
        return self.ratio == 0 and not self.follow_parent

    def __str__(self) -> str:
        """`100 %`, `10 %`, `0.1 %`: what a log line says."""
        return f"{self.ratio * 100:g} %"


def parse_documented(text: str) -> Sampling:
    """`always_on`, `always_off` or `traceidratio=R`; ValueError says what is wrong.

    A parent's decision is followed, except with `always_off`, which disables tracing altogether.
    """
    if text in _FIXED:
        return Sampling(_FIXED[text], follow_parent=text != "always_off")
    name, equals, ratio = text.partition("=")
    if name != _STANDARD_RATIO or not equals:
        message = "must be always_on, always_off or traceidratio=R with R from 0 to 1"
        raise ValueError(message)
    return Sampling(parse_ratio(ratio))


def parse_standard(text: str, argument: str) -> Sampling:
    """OpenTelemetry's own sampler names and the ratio beside them; ValueError says what is wrong."""
    follow_parent = text.startswith(_PARENT_BASED)
    name = text.removeprefix(_PARENT_BASED)
    if name in _FIXED:
        return Sampling(_FIXED[name], follow_parent)
    if name != _STANDARD_RATIO:
        message = "must be always_on, always_off or traceidratio, each also with parentbased_ in front"
        raise ValueError(message)
    return Sampling(parse_ratio(argument) if argument else 1.0, follow_parent)


def takes_argument(text: str) -> bool:
    """Whether a standard sampler reads its ratio from the second variable."""
    return text.removeprefix(_PARENT_BASED) == _STANDARD_RATIO


def parse_ratio(text: str) -> float:
    """A number from 0 to 1; ValueError says what is wrong."""
    if not _RATIO.fullmatch(text) or not 0 <= float(text) <= 1:
        message = "must have a ratio from 0 to 1"
        raise ValueError(message)
    return float(text)
