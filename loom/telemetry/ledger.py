"""What became of the spans: created = exported + lost + still on their way."""

from loom.contract import attributes as a
from loom.contract.metrics import telemetry as own
from loom.telemetry.families import Families

QUEUE_FULL, EXPORT_FAILED, SHUTDOWN = a.LOST_REASON.values


class Ledger:
    """Plain numbers that the SDK does not tell; the batcher's lock guards them."""

    def __init__(self) -> None:
        """Nothing happened yet."""
        self.created = 0
        self.exported = 0
        self.lost = dict.fromkeys(a.LOST_REASON.values, 0)

    def publish(self, families: Families) -> None:
        """Make the numbers readable as metrics."""
        self._created = families.counting(own.SPANS_CREATED).series()
        self._exported = families.counting(own.SPANS_EXPORTED).series()
        lost = families.counting(own.SPANS_LOST)
        self._lost = {reason: lost.series(reason) for reason in self.lost}
        for metric in (own.SPANS_CREATED, own.SPANS_EXPORTED, own.SPANS_LOST):
            families.counting(metric).refresh_with(self._refresh)

    def _refresh(self) -> None:
        self._created.n = self.created
        self._exported.n = self.exported
        for reason, tally in self._lost.items():
            tally.n = self.lost[reason]
