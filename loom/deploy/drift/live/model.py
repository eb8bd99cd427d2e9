"""What is found when running programs are asked what they run. Data."""

from collections.abc import Sequence
from dataclasses import dataclass

ABSENT = "-"
"""Stands for what one of the two sides has not."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that runs otherwise than it was rendered."""

    program: str
    """The service: `prometheus`."""
    source: str
    """Who says so: `/api/v1/status/config`, `container`, `process`, `file native/prometheus.yml`."""
    path: str
    """Where in it: `$.global.scrape_interval`, `mem_limit`, `--web.listen-address`."""
    rendered: str
    live: str
    meaning: str = ""
    """Why that may be, or what follows; empty when the values say it all."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Something that was not asked, or that did not answer."""

    program: str
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that answered, and was compared."""

    program: str
    source: str
    values: int
    """How many rendered values were compared."""


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    name: str
    """The deployment."""
    engine: str
    differences: Sequence[Difference]
    asked: Sequence[Asked]
    unasked: Sequence[Silence]
    """Of which there is nothing to ask; known beforehand, no failure."""
    unreached: Sequence[Silence]
    """Which should have answered."""
