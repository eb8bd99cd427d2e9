"""The head sampler, in the one spelling of the user's document."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic_core import PydanticCustomError

from loom.deploy.profile.scalar import Scalar
from loom.deploy.profile.spelling import show

_PATTERN = r"^(always_on|always_off|traceidratio=(0(\.[0-9]{1,15})?|1(\.0{1,15})?))$"


@dataclass(frozen=True, slots=True)
class Sampler(Scalar):
    """A head sampler: the share of traces that is kept, and how it was written."""

    ratio: float
    """0 to 1: `always_on` is 1, `always_off` is 0."""
    text: str

    examples: ClassVar[tuple[str, ...]] = ("always_on", "traceidratio=0.1")

    @classmethod
    def parse(cls, text: object) -> Self:
        """Parse `always_on`, `always_off` or `traceidratio=R`; ValueError, with a `hint` in its context."""
        if isinstance(text, str) and re.fullmatch(_PATTERN, text):
            ratio = text.partition("=")[2] or ("1" if text == "always_on" else "0")
            return cls(float(ratio), text)
        hint = "write always_on, always_off or traceidratio=R with R from 0 to 1"
        kind, message = "sampler", "{value} is not a sampler"
        raise PydanticCustomError(kind, message, {"value": show(text), "hint": hint})

    @classmethod
    def pattern(cls) -> str:
        """At most 15 digits behind the point."""
        return _PATTERN
