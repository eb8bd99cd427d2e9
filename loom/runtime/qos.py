"""How much an event matters against how long its publisher may wait."""

from enum import IntEnum

from loom.contract import attributes as a


class Qos(IntEnum):
    """Quality of service, from the most impatient to the most patient.

    An event and a subscription each have one; the more impatient of the two holds. A realtime delivery
    never waits: without a free slot the event is dropped for that subscription. Batched and background
    deliveries wait for a slot; they differ in the size of their queues.
    """

    REALTIME = 0
    BATCHED = 1
    BACKGROUND = 2

    @property
    def label(self) -> str:
        """The value of the contract's attribute."""
        return a.QOS.values[self]
