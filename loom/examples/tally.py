"""What an example did, counted by itself: what telemetry says is compared with it."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Done:
    """Numbers of one run."""

    published_by_qos: Counter[str] = field(default_factory=Counter)
    delivered: int = 0
    """Subscription queues that events entered."""
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    calls: Counter[str] = field(default_factory=Counter)
    """By status."""
    hits: int = 0
    """Calls that joined another one."""
    executed: int = 0
    """Calls that reached a provider."""

    @property
    def published(self) -> int:
        """All events."""
        return self.published_by_qos.total()
