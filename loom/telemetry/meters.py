"""Families read out by the SDK: one observable instrument each."""

from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from loom.contract.metric import Kind
from loom.telemetry.family import Family
from loom.telemetry.tally import Tally
from loom.telemetry.version import VERSION

_Callback = Callable[[CallbackOptions], Iterable[Observation]]


def register(provider: MeterProvider, family: Family[Tally]) -> None:
    """Create the instrument of a family; from then on every collection reads its tallies."""
    metric = family.metric
    create = _creators(provider.get_meter(metric.scope, VERSION))[metric.kind]
    create(metric.name, [_callback(family)], metric.unit, metric.description)


def _creators(meter: Meter) -> Mapping[Kind, Callable[[str, list[_Callback], str, str], object]]:
    return {
        Kind.COUNTER: meter.create_observable_counter,
        Kind.UP_DOWN_COUNTER: meter.create_observable_up_down_counter,
        Kind.GAUGE: meter.create_observable_gauge,
        Kind.OBSERVABLE_GAUGE: meter.create_observable_gauge,
    }


def _callback(family: Family[Tally]) -> _Callback:
    def observe(_: CallbackOptions) -> list[Observation]:
        family.refresh(_zero)
        return [Observation(series.tally.n, series.attributes) for series in family.read()]

    return observe


def _zero(tally: Tally) -> None:
    tally.n = 0
