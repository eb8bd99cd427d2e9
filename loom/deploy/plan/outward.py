"""The edges that leave the deployment: to stores, servers and object storage of others. Data.

No certificate or password of ours is made for them: their other end decides what is shown, and gave it to us.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Edge, Method, Network, Plan, Service, Waiver
from loom.deploy.profile.longterm import Remote


@dataclass(frozen=True, slots=True)
class Outward:
    """Whom a service of ours calls outside, about what, and how that is protected."""

    source: Service
    target: str
    """The profile's name for it."""
    purpose: str
    """`remote_write`, `federate` or `objects`."""
    what: str
    path: str
    """Where in the profile it stands: `metrics.remote_write.0`."""
    encrypted: bool
    method: Method
    network: Network
    waiver: Waiver | None = None

    @property
    def name(self) -> str:
        """`prometheus -> central:remote_write`."""
        return f"{self.source} -> {self.target}:{self.purpose}"

    @property
    def protected(self) -> bool:
        """Whether it is encrypted, and we prove who we are."""
        return self.encrypted and self.method is not Method.NONE


@dataclass(frozen=True, slots=True)
class _Way:
    source: Service
    target: str
    purpose: str
    what: str
    path: str
    encrypted: bool
    method: Method


def outward(plan: Plan) -> tuple[Outward, ...]:
    """Every edge that leaves the deployment."""
    network = Network.EDGE if plan.profile.security.hardened else Network.COMMON
    waivers = {one.edge: Waiver(one.reason, one.until) for one in plan.profile.security.waivers}
    found = []
    for way in _ways(plan):
        name = f"{way.source} -> {way.target}:{way.purpose}"
        found.append(
            Outward(
                way.source,
                way.target,
                way.purpose,
                way.what,
                way.path,
                way.encrypted,
                way.method,
                network,
                waivers.get(name),
            )
        )
    return tuple(found)


def every(plan: Plan) -> tuple[Edge | Outward, ...]:
    """All edges, within the deployment and out of it."""
    return (*plan.edges, *outward(plan))


def method(remote: Remote) -> Method:
    """How we prove who we are there."""
    if remote.basic:
        return Method.PASSWORD
    if remote.bearer_secret:
        return Method.TOKEN
    return Method.CERTIFICATE if remote.certificate else Method.NONE


def _ways(plan: Plan) -> Iterator[_Way]:
    metrics, source = plan.profile.metrics, Service.PROMETHEUS
    groups = (
        ("remote_write", "remote_write", "samples", metrics.remote_write),
        ("federation.sources", "federate", "recorded series", metrics.federation.sources),
    )
    for path, purpose, what, remotes in groups:
        for number, one in enumerate(remotes):
            where = f"metrics.{path}.{number}"
            yield _Way(source, one.name, purpose, what, where, one.encrypted, method(one))
    thanos = metrics.longterm.thanos
    if thanos and thanos.objstore.config_secret:
        path = "metrics.longterm.thanos.objstore.config_secret"
        for service in THANOS[:-1]:
            # What the file says is not for us to read: the remark about it says so.
            yield _Way(service, "objstore", "objects", "blocks", path, encrypted=True, method=Method.TOKEN)
