"""Alerts on the disks, from what the programs say they take of what the profile gives them.

Nobody of them says how much room the disk has: what else lies on it is not seen.
"""

from loom.contract import foreign as f
from loom.contract.promql import Expression, above, binary, scalar, select
from loom.contract.series import Series
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course
from loom.deploy.artifacts.rules.scene import Input
from loom.deploy.artifacts.rules.staging import Level
from loom.deploy.plan.finding import human
from loom.deploy.plan.model import Plan
from loom.deploy.profile.quantity import Size

FILLING, FULL = 0.9, 0.97
"""Shares of a volume: time to do something about it, and none left."""


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """Two for each volume that somebody measures."""
    volumes = plan.profile.volumes
    found = _volume("Prometheus", f.JOB_PROMETHEUS, _PROMETHEUS, volumes.prometheus)
    if plan.profile.tracing.storage == "badger":
        found += _volume("Jaeger", f.JOB_JAEGER, _JAEGER, volumes.jaeger)
    return found


_PROMETHEUS = (f.BLOCKS_BYTES, f.WAL_BYTES, f.HEAD_CHUNKS_BYTES)
_JAEGER = (f.BADGER_LSM_BYTES, f.BADGER_VALUE_LOG_BYTES)


def _volume(name: str, job: str, parts: tuple[Series, ...], size: Size) -> tuple[Alert, ...]:
    used, whole = binary(_sum(*parts), "/", scalar(size.base)), human(size.base)

    def filled(share: Course) -> tuple[Input, ...]:
        each = share * (size.base / len(parts))
        return tuple(Input(series, each, {"job": job}) for series in parts)

    def alert(word: str, limit: float, hold: str, severity: Severity) -> Alert:
        return Alert(
            f"{name}Volume{word}",
            above(used, limit),
            hold,
            severity,
            job,
            f"{{{{ $labels.job }}}} takes {round(limit * 100)} % of the disk that the profile gives it",
            f"Its own files take {{{{ $value | humanizePercentage }}}} of {whole}. How full the disk is, with"
            " all that lies on it, is not measured: `df` says it.",
            Level(0.5, limit + 0.01, limit - 0.01, hold, filled).proof(),
        )

    return (alert("Filling", FILLING, "15m", Severity.WARNING), alert("Full", FULL, "5m", Severity.CRITICAL))


def _sum(first: Series, *others: Series) -> Expression:
    total = select(first)
    for series in others:
        total = binary(total, "+", select(series))
    return total
