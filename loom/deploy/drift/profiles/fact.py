"""What is known about a profile's value besides its name: words for it, what follows, which way is safer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from loom.deploy.plan.model import Plan


class Safer(Enum):
    """Which of two values is the safer one."""

    NEITHER = auto()
    MORE = auto()
    """The larger number."""
    LESS = auto()
    """The smaller number."""
    LATER = auto()
    """The one that comes later in the fact's words."""


Meaning = str | Callable[[Plan], str]
"""What follows: of the value as such, or from a plan, then said for both."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known about one value."""

    path: str
    """`security.tls.mode`."""
    what: str
    """What it is, for people: `transport between the parts`."""
    meaning: Meaning
    words: Mapping[object, str] = field(default_factory=dict)
    """Value → words for it; others are shown as they are written."""
    safer: Safer = Safer.NEITHER
    idle: Callable[[Plan], str] | None = None
    """Of a value that has no effect in a plan: why, said in its place; empty where it has one."""

    def moot(self, plan: Plan) -> str:
        """What is said in the value's place; empty where it has an effect."""
        return f"- ({why})" if self.idle and (why := self.idle(plan)) else ""


ON_SAFER: Mapping[object, str] = {False: "off", True: "on"}
OFF_SAFER: Mapping[object, str] = {True: "on", False: "off"}
"""Words for a switch, the safer position last."""
