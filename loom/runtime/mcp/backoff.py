"""How long to wait before the next attempt to reconnect."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, capped, with jitter, so that clients of one server do not come back all at once."""

    first: float = 0.5
    """Seconds after the first failure, before jitter."""
    factor: float = 2.0
    cap: float = 30.0
    """Longest pause in seconds."""
    jitter: float = 0.5
    """Share of the pause that is left to chance, 0 to 1."""

    def delay(self, failures: int, random: Random) -> float:
        """Seconds to wait after so many failures in a row, at least 1."""
        # Past 2**60 the cap holds for every sensible factor; larger powers overflow.
        whole = min(self.cap, self.first * self.factor ** min(failures - 1, 60))
        return whole * (1 - self.jitter * random.random())
