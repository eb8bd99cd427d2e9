"""How often, and how far apart, a request is tried."""

from dataclasses import dataclass
from random import uniform

_JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with jitter."""

    attempts: int = 3
    """Requests in all, the first one included."""
    first: float = 0.5
    """Seconds between the first and the second attempt; each further pause is twice as long."""
    ceiling: float = 8.0
    """Seconds that a pause is at most."""

    def pause(self, attempt: int, after: float = 0.0) -> float:
        """Seconds to wait behind attempt number `attempt` (1-based); `after` is what the endpoint asked for.

        Up to a quarter is added by chance, so that clients that failed together do not come back together.
        """
        pause = min(self.first * 2.0 ** (attempt - 1), self.ceiling)
        return max(pause, after) * uniform(1, 1 + _JITTER)  # noqa: S311 - nothing secret about it
