"""What the canary knows: plain numbers, written by its rounds and read by whoever scrapes it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from loom.canary.certificates import Look
from loom.contract import canary


@dataclass(slots=True)
class Standing:
    """How one signal fares. One thread writes; every number is replaced as a whole."""

    last_success: float | None = None
    """When the newest arrival that was found had been sent, as Unix time; None before the first."""
    round_trip: float | None = None
    """Seconds from sending to finding, of the newest arrival."""
    attempts: int = 0
    failures: dict[str, int] = field(default_factory=lambda: dict.fromkeys(canary.STAGES, 0))
    """Stage → rounds that ended there."""
    arriving: bool = False
    """Whether the latest round succeeded."""


@dataclass(slots=True)
class Record:
    """Everything."""

    standings: dict[str, Standing] = field(
        default_factory=lambda: {one: Standing() for one in canary.SIGNALS}
    )
    """Signal → how it fares."""
    expiries: dict[str, float] = field(default_factory=dict)
    """Identity → when its certificate ends, as Unix time; replaced as a whole."""
    ports: dict[str, bool] = field(default_factory=dict)
    """Identity → whether its port presented a certificate at the latest look; replaced as a whole."""

    def know(self, looks: Iterable[Look]) -> None:
        """Take what was seen; the end of a certificate that could not be seen stays as it was last."""
        seen = tuple(looks)
        self.expiries = self.expiries | {one.identity: one.ends for one in seen if one.ends is not None}
        self.ports = {one.identity: one.ends is not None for one in seen if one.port}
