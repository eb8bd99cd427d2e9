"""What the canary knows, as OpenMetrics text."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from loom.canary.record import Record
from loom.contract import canary
from loom.contract.series import Series
from loom.telemetry.version import VERSION

MEDIA_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Sample = tuple[Mapping[str, str], float]
_SUFFIXES = {"gauge": "", "counter": "_total", "info": "_info"}


@dataclass(frozen=True, slots=True)
class _Family:
    series: Series
    kind: Literal["gauge", "counter", "info"]
    help: str

    def lines(self, samples: Iterable[Sample]) -> Iterator[str]:
        """A family's name is that of its series without the suffix of its kind."""
        name = self.series.name.removesuffix(_SUFFIXES[self.kind])
        yield f"# TYPE {name} {self.kind}"
        if name.endswith("_seconds"):
            yield f"# UNIT {name} seconds"
        yield f"# HELP {name} {self.help}"
        for labels, value in samples:
            pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{self.series.name}{{{pairs}}} {value!r}"


_LAST_SUCCESS = _Family(canary.LAST_SUCCESS, "gauge", "When the newest arrival was sent, as Unix time.")
_ROUND_TRIP = _Family(canary.ROUND_TRIP, "gauge", "Seconds from sending to finding the newest arrival.")
_ATTEMPTS = _Family(canary.ATTEMPTS, "counter", "Rounds that have ended.")
_FAILURES = _Family(canary.FAILURES, "counter", "Rounds that ended without an arrival, by what failed.")
_EXPIRY = _Family(
    canary.CERTIFICATE_EXPIRY, "gauge", "When a certificate ends, as Unix time: its own, or a port's."
)
_OPEN = _Family(canary.PORT_OPEN, "gauge", "1 where a port presents a certificate, else 0.")
_BUILD = _Family(canary.BUILD_INFO, "info", "The version that runs.")


def expose(record: Record) -> str:
    """Everything, in the order of the contract."""
    standings = [({"signal": signal}, standing) for signal, standing in record.standings.items()]
    lines = (
        # Nothing before the first: 0 would be an arrival that is decades old.
        *_LAST_SUCCESS.lines(
            (labels, one.last_success) for labels, one in standings if one.last_success is not None
        ),
        *_ROUND_TRIP.lines(
            (labels, one.round_trip) for labels, one in standings if one.round_trip is not None
        ),
        *_ATTEMPTS.lines((labels, one.attempts) for labels, one in standings),
        *_FAILURES.lines(
            ({**labels, "stage": stage}, count)
            for labels, one in standings
            for stage, count in one.failures.items()
        ),
        *_EXPIRY.lines(({"identity": identity}, end) for identity, end in record.expiries.items()),
        *_OPEN.lines(({"identity": identity}, float(open_)) for identity, open_ in record.ports.items()),
        *_BUILD.lines([({"version": VERSION}, 1)]),
        "# EOF\n",
    )
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
