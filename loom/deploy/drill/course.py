"""What becomes of one alert in a drill: a row of the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loom.deploy.drill.cause import Proof
from loom.deploy.drill.receiver import Notice

_BEATS = 3
"""How often what never resolves must have come."""


@dataclass
class Row:
    """One alert; times are seconds since its cause began, None for what was not seen."""

    alert: str
    cause: str
    proof: Proof
    labels: Mapping[str, str]
    """What the alert is told by from the same one with another cause."""
    began: float = 0.0
    ended: float | None = None
    """When the cause was removed."""
    fired: float | None = None
    delivered: float | None = None
    silenced: float | None = None
    attempt: int = 1
    resolved: float | None = None
    """Seconds since the cause was removed."""

    @property
    def provoked(self) -> bool:
        """Whether everything was seen that comes before the cause is removed."""
        if self.proof in {Proof.UNHEARD, Proof.LATE}:
            return self.fired is not None
        if self.proof is Proof.SILENCED:
            return self.fired is not None and (self.silenced or self.delivered) is not None
        return self.fired is not None and self.delivered is not None

    @property
    def complete(self) -> bool:
        """Whether everything was seen."""
        if self.proof is Proof.ENDLESS:
            return self.provoked
        heard = self.proof is not Proof.LATE or self.delivered is not None
        return self.provoked and heard and self.resolved is not None

    def mine(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is this one."""
        return labels.get("alertname") == self.alert and self.labels.items() <= labels.items()

    def look(
        self,
        now: float,
        active: Iterable[Mapping[str, str]],
        held: Iterable[Mapping[str, str]],
        notices: Iterable[Notice],
    ) -> None:
        """Take down what can be seen: alerts that fire in Prometheus, those held back, and what was sent."""
        firing = any(map(self.mine, active))
        since = [notice for notice in notices if notice.at >= self.began and self.mine(notice.labels)]
        if firing:
            self.fired = self.fired or now - self.began
        if any(map(self.mine, held)):
            self.silenced = self.silenced or now - self.began
        told = [notice for notice in since if notice.firing]
        enough = _BEATS if self.proof is Proof.ENDLESS else 1
        if len(told) >= enough and self.fired is not None:
            self.delivered = self.delivered or told[0].at - self.began
            self.fired = min(self.fired, self.delivered)  # seen a little late
        if self.ended is not None and self.resolved is None and not firing and self._over(since):
            self.resolved = now - self.ended

    def _over(self, since: list[Notice]) -> bool:
        """Whether all that was told of was told to be over; what never was told of need not be."""
        if self.silenced is not None:
            return True  # what is held back when it ends is not told of
        latest = {tuple(sorted(notice.labels.items())): notice.firing for notice in since}
        return not any(latest.values()) and bool(latest or self.proof is Proof.UNHEARD)
