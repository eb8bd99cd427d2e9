"""How much a bus holds and how long it waits."""

from dataclasses import dataclass

from loom.runtime.qos import Qos


@dataclass(frozen=True, slots=True)
class BusLimits:
    """Sizes in events, times in seconds."""

    realtime: int = 64
    batched: int = 1024
    background: int = 4096
    """Queue of a subscription by its quality of service."""
    backpressure: int = 10_000
    """Events queued for one topic from which on realtime events are shed although their queue has room."""
    slot_wait: float = 30.0
    """How long a publish waits for a slot; after that the event is dropped as queue_full."""
    drain: float = 5.0
    """How long closing waits for subscribers to take what is queued."""

    def capacity(self, qos: Qos) -> int:
        """The queue of a subscription that names no size itself."""
        return (self.realtime, self.batched, self.background)[qos]
