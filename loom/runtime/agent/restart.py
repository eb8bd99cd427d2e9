"""How often a crashed agent is set up anew, and after how long."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """At most `limit` restarts within `window` seconds, after pauses that double."""

    limit: int = 5
    """Restarts within the window; one crash more, and the agent is deleted."""
    window: float = 60.0
    """Seconds after which a crash is forgotten."""
    first: float = 0.1
    """Seconds before the first restart."""
    factor: float = 2.0
    longest: float = 10.0
    """Seconds that a pause takes at the most."""

    def delay(self, restart: int) -> float:
        """Seconds before the n-th restart within the window, from 1 on."""
        # Past 2**60 the longest pause holds for every sensible factor; larger powers overflow.
        return min(self.longest, self.first * self.factor ** min(restart - 1, 60))


class Restarts:
    """The crashes of one agent."""

    def __init__(self, policy: RestartPolicy) -> None:
        """None yet."""
        self._policy = policy
        self._crashes: deque[float] = deque()

    def after_crash(self, now: float) -> float | None:
        """Seconds until the next restart; None when there is none any more. `now` in seconds."""
        while self._crashes and now - self._crashes[0] > self._policy.window:
            self._crashes.popleft()
        self._crashes.append(now)
        count = len(self._crashes)
        return None if count > self._policy.limit else self._policy.delay(count)
