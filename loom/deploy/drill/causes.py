"""Every cause there is, and the alerts that have none, each with its reason."""

from collections.abc import Mapping

from loom.deploy.drill import alerting, budgets, inside, pipeline, safety
from loom.deploy.drill.cause import Cause

CAUSES: tuple[Cause, ...] = (
    *inside.CAUSES,
    *budgets.CAUSES,
    *pipeline.CAUSES,
    *alerting.CAUSES,
    *safety.CAUSES,
)
_BADGER = "badger says its size once a minute, and counts two gigabytes of empty log from the first minute on"
UNPROVOKED: Mapping[str, str] = {"JaegerVolumeFilling": _BADGER, "JaegerVolumeFull": _BADGER}
"""Alert → why no real cause can be made here; its tests and the same way to the receiver stand for it."""
