"""What cannot be of metrics that leave this Prometheus, what may surprise, and how large their queues are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from math import ceil

from loom.contract.metrics import ALL
from loom.deploy.plan.edges import LOOM, OPERATOR, PROBE
from loom.deploy.plan.estimate import objects_disk
from loom.deploy.plan.finding import WORKLOAD, at, human
from loom.deploy.plan.identity import ADMIN, PASSWORD, TOKEN, USERS
from loom.deploy.plan.model import Plan, Service
from loom.deploy.plan.outward import outward
from loom.deploy.plan.policy import PRODUCTION
from loom.errors import Problem

BLOCK_SECONDS = 2 * 3600
"""Length of a block that Thanos takes, and how long Prometheus' write-ahead log surely holds a sample."""
_SEND = 2000
"""Samples in one request."""
_REQUEST_SECONDS = 0.25
"""A request there and back, slow ones included."""
_CATCH_UP = 10
"""How much faster than it grows a backlog is worked off."""
_SHARDS = (2, 50)
_FIVE_MINUTES_AFTER, _HOUR_AFTER = 40 * 3600, 10 * 86_400
"""Age of a block before Thanos makes of it one with a value every five minutes, and every hour."""
_THANOS = "metrics.longterm.thanos"
_RESERVED = frozenset({PASSWORD, TOKEN, ADMIN, USERS})
_PARTIES = frozenset({LOOM, OPERATOR, PROBE, "authority", *map(str, Service)})
METRICS = {metric.name: metric for metric in ALL}


@dataclass(frozen=True, slots=True)
class SendingQueue:
    """Prometheus' queue to one store, in memory; behind it waits the write-ahead log."""

    shards: int
    """Requests on their way at once, at most."""
    send: int
    """Samples in one request."""
    capacity: int
    """Samples a shard holds before the log is read no further."""


def queue(plan: Plan) -> SendingQueue:
    """Sized from the workload: a backlog of an hour is worked off in six minutes."""
    needed = ceil(plan.estimate.samples_per_second * _CATCH_UP * _REQUEST_SECONDS / _SEND)
    least, most = _SHARDS
    return SendingQueue(min(most, max(least, needed)), _SEND, 5 * _SEND)


def remotes(plan: Plan) -> Iterator[Problem]:
    """Names that mean two things, and credentials in plain text."""
    metrics = plan.profile.metrics
    for path, names in (
        ("remote_write", [one.name for one in metrics.remote_write]),
        ("federation.sources", [one.name for one in metrics.federation.sources]),
        ("federation.callers", list(metrics.federation.callers)),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                message = f"{count} of them are called {name!r}"
                yield at(plan.profile, f"metrics.{path}", message, "give each its own name")
    called = (("remote_write", metrics.remote_write), ("federation.sources", metrics.federation.sources))
    for path, group in called:
        for number, one in enumerate(group):
            where = f"metrics.{path}.{number}"
            for name in sorted(set(one.secrets) & _RESERVED):
                message = f"a secret called {name!r} is made here already, for something else"
                yield at(plan.profile, where, message, f"call it {one.name.replace('-', '_')}_{name}")
            if one.secrets and not one.encrypted:
                message = "what proves who we are would travel in plain text"
                yield at(plan.profile, f"{where}.url", message, "write https://, or remove the credentials")


def exposed(plan: Plan) -> Iterator[Problem]:
    """In production nothing leaves in plain text or unproven, unless a waiver says until when and why."""
    if plan.profile.environment not in PRODUCTION:
        return
    for edge in outward(plan):
        if edge.protected or edge.waiver:
            continue
        where = plan.profile.environment
        if not edge.encrypted:
            hint = "write https://, or waive the edge with a reason and a date"
            yield at(plan.profile, f"{edge.path}.url", f"{edge.name} is plain text: not in {where}", hint)
        else:
            hint = "write basic, bearer_secret or certificate, or waive the edge"
            yield at(plan.profile, edge.path, f"{edge.name} proves nothing of us: not in {where}", hint)


def selections(plan: Plan) -> Iterator[Problem]:
    """Metrics to send or not to send that the contract does not know, or that contradict each other."""
    for number, one in enumerate(plan.profile.metrics.remote_write):
        where = f"metrics.remote_write.{number}"
        if one.version == "2.0" and one.exemplars:
            # Seen with 3.16: series with nothing but an exemplar, which its own receiver answers with 400.
            message = "Prometheus sends exemplars of version 2.0 in a form that receivers refuse"
            yield at(plan.profile, f"{where}.version", message, "write 1.0, or exemplars: false")
        for key, names in (("keep", one.keep), ("drop", one.drop)):
            yield from unknown(plan, f"{where}.{key}", names)
        for name in sorted({*one.keep} & {*one.drop}):
            yield at(plan.profile, f"{where}.drop", f"{name} is kept and dropped", "remove it from one")
        if one.series == "recorded" and (one.keep or one.drop):
            message = "has no effect while series is recorded: none of the contract's own is sent"
            yield at(plan.profile, f"{where}.{'keep' if one.keep else 'drop'}", message, "remove it")


def unknown(plan: Plan, path: str, names: tuple[str, ...]) -> Iterator[Problem]:
    """Names that are no metric of the contract."""
    for name in names:
        if name not in METRICS:
            near = get_close_matches(name, METRICS, 1)
            hint = f"did you mean {near[0]!r}?" if near else "METRICS.md lists them"
            yield at(plan.profile, path, f"the contract has no metric {name!r}", hint)


def federation(plan: Plan) -> Iterator[Problem]:
    """Callers that cannot be told apart, and addresses that name the page as well."""
    told = plan.profile.metrics.federation
    for number, one in enumerate(told.sources):
        if one.url.endswith("/federate"):
            path = f"metrics.federation.sources.{number}.url"
            yield at(plan.profile, path, "names the page as well", "leave /federate out")
    for name in sorted(name for name in told.callers if _is_ours(name)):
        message = f"{name!r} is a party of every deployment"
        yield at(plan.profile, "metrics.federation.callers", message, "choose another name")
    if told.callers and plan.profile.security.authentication == "off":
        message = "nobody is asked for a password while security.authentication is off"
        yield at(
            plan.profile, "metrics.federation.callers", message, "write basic there, or remove the callers"
        )


def _is_ours(name: str) -> bool:
    """Whether it is a party of ours, or would be the name of a further replica: its folder is not free."""
    role, _, number = name.rpartition("-")
    return name in _PARTIES or (role in _PARTIES and number.isdecimal())


def thanos(plan: Plan) -> Iterator[Problem]:
    """Retention that would leave gaps between what Prometheus has and what the blocks have."""
    profile = plan.profile
    chosen = profile.metrics.longterm.thanos
    if chosen is None:
        return
    kept, local = chosen.retention, profile.metrics.retention.time
    base = f"{_THANOS}.retention"
    if chosen.objstore.directory and chosen.objstore.config_secret:
        path = "metrics.longterm.thanos.objstore.directory"
        yield at(profile, path, "contradicts config_secret", "keep one; null removes what a base says")
    if chosen.objstore.config_secret in _RESERVED:
        path = "metrics.longterm.thanos.objstore.config_secret"
        message = (
            f"a secret called {chosen.objstore.config_secret!r} is made here already, for something else"
        )
        yield at(profile, path, message, "choose another name, such as bucket")
    if local.seconds < 3 * BLOCK_SECONDS:
        message = f"{local} may end before a block of two hours is uploaded"
        yield at(profile, "metrics.retention.time", message, "write at least 6h with Thanos", (_THANOS,))
    if kept.raw < local:
        message = f"{kept.raw} is shorter than Prometheus itself keeps samples, {local}"
        hint = "raise it, or lower metrics.retention.time"
        yield at(profile, f"{base}.raw", message, hint, ("metrics.retention.time",))
    if kept.raw.seconds < _FIVE_MINUTES_AFTER:
        message = f"{kept.raw} ends before a block is old enough for five-minute values, 40 hours"
        yield at(profile, f"{base}.raw", message, "write at least 2d")
    if kept.five_minutes.seconds < _HOUR_AFTER:
        message = f"{kept.five_minutes} ends before a block is old enough for hourly values, 10 days"
        yield at(profile, f"{base}.five_minutes", message, "write at least 11d")
    if not kept.raw <= kept.five_minutes <= kept.hour:
        message = "coarser values are kept for a shorter time than finer ones"
        yield at(profile, base, message, "write raw <= five_minutes <= hour")


def objects(plan: Plan) -> Iterator[Problem]:
    """Blocks that do not fit the disk they lie on."""
    profile, chosen = plan.profile, plan.profile.metrics.longterm.thanos
    if chosen is None or chosen.objstore.config_secret:
        return
    needed = objects_disk(profile, plan.estimate.series, plan.estimate.samples_per_second)
    if needed > profile.volumes.thanos.base:
        room = human(profile.volumes.thanos.base)
        message = f"blocks of all resolutions need about {human(needed)}, more than {room}"
        hint = "raise it, or lower metrics.longterm.thanos.retention or the numbers in workload"
        yield at(profile, "volumes.thanos", message, hint, (f"{_THANOS}.retention", *WORKLOAD))


CHECKS = (remotes, exposed, selections, federation, thanos, objects)


def remarks(plan: Plan) -> Iterator[Problem]:
    """What works, and what it does not do."""
    profile = plan.profile
    metrics, told = profile.metrics, profile.metrics.federation
    for number, one in enumerate(metrics.remote_write):
        message = f"what {one.name} refuses, or cannot take for longer than about two hours, it never gets"
        hint = "samples wait in Prometheus' write-ahead log; an answer of 4xx but 429 is final"
        yield at(profile, f"metrics.remote_write.{number}", message, hint)
    if told.callers and profile.environment in PRODUCTION:
        message = "Prometheus is published on loopback only"
        hint = "bring callers of other machines here by a tunnel, or by a proxy of your own"
        yield at(profile, "metrics.federation.callers", message, hint)
    if told.callers and not profile.security.tls.hosts:
        message = "Prometheus' certificate is good for no name by which other machines reach it"
        yield at(profile, "metrics.federation.callers", message, "name the host in security.tls.hosts")
    chosen = metrics.longterm.thanos
    if chosen and chosen.objstore.config_secret:
        message = "whether blocks travel encrypted is said in that file, which nobody reads here"
        path = "metrics.longterm.thanos.objstore.config_secret"
        yield at(profile, path, message, "leave `insecure` and `insecure_skip_verify` out of it")
    elif chosen and profile.environment in PRODUCTION and not chosen.objstore.directory:
        message = "blocks lie on a volume of this machine, and are lost with it"
        yield at(profile, "metrics.longterm.thanos.objstore", message, "name a directory or config_secret")
