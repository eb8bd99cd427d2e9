"""Which metrics of the contract a process has recorded so far, and with which values of closed sets."""

from collections.abc import Iterator

from loom.contract import metrics
from loom.contract.coverage import RARE, reachable
from loom.contract.metric import Kind, Metric
from loom.telemetry import Telemetry
from loom.telemetry.tally import Distribution, Tally


def unseen(telemetry: Telemetry) -> list[str]:
    """Every metric without a series, and every value of a closed set that no measurement had."""
    return [line for metric in metrics.ALL if metric not in RARE for line in _unseen(telemetry, metric)]


def _unseen(telemetry: Telemetry, metric: Metric) -> Iterator[str]:
    series = [labels for labels, tally in _read(telemetry, metric) if _counts(metric, tally)]
    if not series:
        yield metric.name
    for attribute in metric.attributes if series else ():
        seen = {labels.get(attribute.name) for labels in series}
        yield from (
            f"{metric.name} {attribute.name}={value}" for value in reachable(attribute) if value not in seen
        )


def _read(telemetry: Telemetry, metric: Metric) -> Iterator[tuple[dict[str, str], Tally | Distribution]]:
    if metric.kind is Kind.HISTOGRAM:
        for distribution in telemetry.histogram(metric).read():
            yield dict(distribution.attributes), distribution.tally
    else:
        for tally in telemetry.counter(metric).read():
            yield dict(tally.attributes), tally.tally


def _counts(metric: Metric, tally: Tally | Distribution) -> bool:
    """Whether something was measured; a gauge may be zero, and a lost span must not happen."""
    if isinstance(tally, Distribution):
        return tally.measurements > 0
    return metric.kind is not Kind.COUNTER or tally.n > 0 or metric in _AT_THE_END


_AT_THE_END = metrics.telemetry.ALL
"""Counted by the exporter, which may not have begun."""
