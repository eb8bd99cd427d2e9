"""Jaeger v2's configuration: it acknowledges a span only once it is stored."""

from loom.deploy.artifacts import protection
from loom.deploy.artifacts.collector import MESSAGE_MIB
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.place import below, suffix
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan, Purpose, Service, Site
from loom.deploy.profile.quantity import Duration

NAME = "jaeger.yaml"


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The configuration for either site."""
    return tuple(_artifact(plan, site) for site in Site)


def data(plan: Plan, site: Site) -> str:
    """Folder of the traces; empty when they are kept in memory."""
    folder = plan.container(Service.JAEGER).data
    if not folder or site is Site.COMPOSE:
        return folder
    return f"${{env:LOOM_DATA}}/{Service.JAEGER}"


def hours(duration: Duration) -> str:
    """As Go reads durations: its largest unit is the hour, `30d` is an error."""
    whole, rest = divmod(duration.base, 3_600_000)
    return f"{duration.base}ms" if rest else f"{whole}h"


def _artifact(plan: Plan, site: Site) -> Artifact:
    text = fill(f"jaeger/{NAME}.j2", **_facts(plan, site))
    return Artifact(below(site, NAME), text, f"Jaeger: stores and shows traces{suffix(site)}.", Check.JAEGER)


def _facts(plan: Plan, site: Site) -> dict[str, object]:
    def listen(purpose: Purpose) -> str:
        return plan.listen(Service.JAEGER, purpose, site)

    def guarded(purpose: Purpose) -> protection.Guard | None:
        return protection.guard(plan, Service.JAEGER, purpose, site)

    host, _, port = listen(Purpose.TELEMETRY).rpartition(":")
    tracing = plan.profile.tracing
    return {
        "grpc": listen(Purpose.OTLP_GRPC),
        "health": listen(Purpose.HEALTH),
        "ui": listen(Purpose.UI),
        "query_grpc": listen(Purpose.QUERY_GRPC),
        "telemetry_host": host,
        "telemetry_port": int(port),
        "data": data(plan, site),
        "retention": hours(tracing.retention),
        "max_traces": tracing.max_traces,
        "message_mib": MESSAGE_MIB,
        "service": str(Service.JAEGER),
        "reload": protection.RELOAD,
        "otlp_guard": guarded(Purpose.OTLP_GRPC),
        "health_guard": guarded(Purpose.HEALTH),
        "ui_guard": guarded(Purpose.UI),
    }
