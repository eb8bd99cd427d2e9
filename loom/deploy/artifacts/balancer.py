"""The balancer's configuration: one address for several collectors, TLS ended and begun anew."""

from dataclasses import dataclass

from loom.deploy.artifacts import protection
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.place import below, suffix
from loom.deploy.artifacts.template import fill
from loom.deploy.plan import topology
from loom.deploy.plan.model import Plan, Purpose, Service, Site

NAME = "balancer.Caddyfile"
READY = "/-/ready"
"""Answered by the balancer itself, on the port for OTLP over HTTP."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One port, and who is behind it."""

    host: str
    port: str
    grpc: bool
    upstreams: tuple[str, ...]
    """`host:port` of each collector."""
    guard: protection.Guard | None
    calling: protection.Pass | None


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The configuration for either site; none where nothing is balanced."""
    return tuple(_artifact(plan, site) for site in Site) if topology.balanced(plan.profile) else ()


def _artifact(plan: Plan, site: Site) -> Artifact:
    entries = [_entry(plan, purpose, site) for purpose in topology.OTLP]
    text = fill(f"proxy/{NAME}.j2", entries=entries, ready=READY)
    description = f"Caddy: shares what Loom sends among the collectors{suffix(site)}."
    return Artifact(below(site, NAME), text, description, Check.CADDY)


def _entry(plan: Plan, purpose: Purpose, site: Site) -> Entry:
    host, _, port = plan.listen(Service.BALANCER, purpose, site).rpartition(":")
    fronts = topology.fronts(plan.profile)
    return Entry(
        host,
        port,
        purpose is Purpose.OTLP_GRPC,
        tuple(plan.address(front, purpose, site) for front in fronts),
        protection.guard(plan, Service.BALANCER, purpose, site),
        protection.credentials(plan, str(Service.BALANCER), fronts[0], purpose, site),
    )
