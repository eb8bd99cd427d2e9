"""A series as Prometheus has it: a name and the labels it carries."""

from dataclasses import dataclass
from enum import Enum


class Part(Enum):
    """Which series of a metric; the value is the suffix."""

    VALUE = ""
    BUCKET = "_bucket"
    SUM = "_sum"
    COUNT = "_count"


@dataclass(frozen=True, slots=True)
class Series:
    """A Prometheus series: what a selector may name and which labels it may match or group by."""

    name: str
    labels: tuple[str, ...] = ()
