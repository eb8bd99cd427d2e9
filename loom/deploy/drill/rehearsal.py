"""The plan of a drill: the profile's own, with another receiver, samples each second, and little to fill."""

from collections.abc import Mapping
from dataclasses import replace

from loom.deploy.plan.derive import derive
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Plan
from loom.deploy.plan.outward import outward
from loom.deploy.profile.longterm import Longterm
from loom.deploy.profile.model import Profile, Workload
from loom.deploy.profile.quantity import Duration, Size
from loom.deploy.profile.routing import Heartbeat, Receiver, Routing

TOLD, HEARTBEAT = "drill_told", "drill_heartbeat"
"""Secrets, and paths of the receiver: who is told of everything, and whom the heartbeat calls."""
_SECOND, _ROUND = Duration.parse("1s"), Duration.parse("3s")
_ENDLESS = Size.parse("900TB")
"""Room for as many samples as there would be at this pace: nobody waits for it to be over."""
_VOLUME = Size.parse("16MB")
"""Of Prometheus and Jaeger: what is seen of it is how much of it is used."""
_QUEUE, _MEMORY = 1000, Size.parse("128MiB")
"""The collector's queue and memory, the least there can be."""
_ROOM = Size.parse("192MiB")
"""Memory of Prometheus, for some thousand series more than are planned."""


def drilled(plan: Plan, offset: int | None = None) -> Plan:
    """The same alerts for the same causes, on other ports; only sizes and times differ.

    What lies outside of the deployment is left out, and the alerts about it with that: nobody's store is to
    get samples of a drill, and nobody's bucket its blocks.
    """
    roomy = _changed(plan.profile, {**_shared(plan.profile, offset), "security": _waiving(plan)})
    return derive(_changed(roomy, {"volumes": _volumes(roomy, _ENDLESS)}))


def narrowed(plan: Plan) -> Plan:
    """What is rendered: rules think that there is little memory and disk, while the programs have plenty."""
    memory = plan.profile.memory.model_copy(update={"prometheus": _ROOM})
    little = {"volumes": _volumes(plan.profile, _VOLUME), "memory": memory}
    return replace(plan, profile=_changed(plan.profile, little))


def _shared(profile: Profile, offset: int | None) -> Mapping[str, object]:
    queue = profile.collector.queue.model_copy(update={"size": _QUEUE})
    retention = profile.metrics.retention.model_copy(update={"size": Size.parse("500TB")})
    people = Routing(
        receivers=(Receiver(name="told", url_secret=TOLD),), heartbeat=Heartbeat(url_secret=HEARTBEAT)
    )
    alone = profile.metrics.federation.model_copy(update={"sources": ()})
    metrics = {
        "scrape_interval": _SECOND,
        "export_interval": _SECOND,
        "retention": retention,
        "remote_write": (),
        "federation": alone,
        "longterm": Longterm(),
    }
    collector = {"memory": _MEMORY, "queue": queue, "diagnostics": False}
    ports = {} if offset is None else {"offset": offset}
    return {
        "alerting": profile.alerting.model_copy(update=dict(people)),
        "metrics": profile.metrics.model_copy(update=metrics),
        "collector": profile.collector.model_copy(update=collector),
        "tracing": profile.tracing.model_copy(update={"storage": "badger"}),
        "canary": profile.canary.model_copy(update={"interval": _ROUND}),
        "ports": profile.ports.model_copy(update=ports),
        "workload": Workload(processes=3),
    }


def _waiving(plan: Plan) -> object:
    """Without the waivers of edges that a drill does not have."""
    security = plan.profile.security
    gone = {edge.name for edge in outward(plan)}
    gone |= {edge.name for edge in plan.edges if {edge.source, str(edge.service)} & set(THANOS)}
    kept = tuple(waiver for waiver in security.waivers if waiver.edge not in gone)
    return security.model_copy(update={"waivers": kept})


def _volumes(profile: Profile, size: Size) -> object:
    return profile.volumes.model_copy(update={"prometheus": size, "jaeger": size})


def _changed(profile: Profile, update: Mapping[str, object]) -> Profile:
    return profile.model_copy(update=dict(update))
