"""Which pass over an event a handler is called for."""

from enum import StrEnum


class Phase(StrEnum):
    """One pass, or the two of the hybrid route."""

    ONLY = "only"
    QUICK = "quick"
    """The first of two, on the hybrid route: answer at once, locally."""
    REFINE = "refine"
    """The second of two: improve on the quick answer, in the cloud."""
