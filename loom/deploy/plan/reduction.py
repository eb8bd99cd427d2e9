"""Which labels the collector adds up over: the contract's metrics as they leave it. Data.

Over the attribute sets of one process a cumulative counter or histogram adds up, since all of them began
together. Processes begin and end on their own: `instance` can only be added up by rules over rates, and the
recorded series have done so already.
"""

from dataclasses import replace

from loom.contract.attribute import Attribute
from loom.contract.metric import Kind, Metric
from loom.contract.metrics import ALL
from loom.deploy.profile.aggregation import Aggregation
from loom.deploy.profile.model import Profile

ADDABLE = frozenset({Kind.COUNTER, Kind.UP_DOWN_COUNTER, Kind.HISTOGRAM})
"""A gauge's values are each a state of their own: their sum may mean nothing."""


def dropped(profile: Profile, metric: Metric) -> tuple[Attribute, ...]:
    """The attributes that a metric of the contract loses in the collector."""
    chosen = profile.collector.aggregation
    named = not chosen.metrics or metric.name in chosen.metrics
    if not chosen.chosen or not named or metric.kind not in ADDABLE:
        return ()
    return tuple(one for one in metric.attributes if _loses(chosen, one))


def delivered(profile: Profile) -> tuple[Metric, ...]:
    """The contract's metrics as they leave the collector."""
    return tuple(_without(metric, dropped(profile, metric)) for metric in ALL)


def _without(metric: Metric, lost: tuple[Attribute, ...]) -> Metric:
    if not lost:
        return metric
    return replace(
        metric,
        attributes=tuple(one for one in metric.attributes if one not in lost),
        conditional=tuple(one for one in metric.conditional if one not in lost),
    )


def _loses(chosen: Aggregation, attribute: Attribute) -> bool:
    if chosen.keep_labels:
        return not {attribute.name, attribute.label} & {*chosen.keep_labels}
    return bool({attribute.name, attribute.label} & {*chosen.drop_labels})
