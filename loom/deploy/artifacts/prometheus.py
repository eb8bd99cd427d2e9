"""Prometheus' configuration; its rules are in `loom.deploy.artifacts.rules`."""

from dataclasses import dataclass

from loom.contract import foreign
from loom.contract.resource import ENVIRONMENT, ENVIRONMENT_LABEL
from loom.deploy.artifacts import protection, remote, thanos
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.place import below, suffix
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan, Purpose, Service, Site

NAME = "prometheus.yml"

EXEMPLARS = 100_000
"""Exemplars kept in memory, of all series together."""
OUT_OF_ORDER = "30m"
"""How late a sample may arrive: a collector that was cut off sends what it queued."""
_SCRAPE_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Target:
    """One scraped program, in all its replicas."""

    job: str
    service: Service
    purpose: Purpose
    honor_labels: bool = False
    """Keep the labels that the target itself sets: of Loom's metrics, the service and its instance."""


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The configuration for either site."""
    return tuple(_artifact(plan, site) for site in Site)


_COLLECTORS = {
    Service.COLLECTOR: foreign.JOB_COLLECTOR,
    Service.METRICS: foreign.JOB_METRICS,
    Service.SAMPLER: foreign.JOB_SAMPLER,
}


def targets(plan: Plan) -> tuple[Target, ...]:
    """Everything that is scraped: what `up` has a word about."""
    exporter = Target(foreign.JOB_EXPORTER, Service.COLLECTOR, Purpose.EXPORTER, honor_labels=True)
    programs = (
        *(Target(job, role, Purpose.TELEMETRY) for role, job in _COLLECTORS.items() if role in plan.services),
        Target(foreign.JOB_JAEGER, Service.JAEGER, Purpose.TELEMETRY),
        Target(foreign.JOB_PROMETHEUS, Service.PROMETHEUS, Purpose.UI),
        Target(foreign.JOB_ALERTMANAGER, Service.ALERTMANAGER, Purpose.UI),
    )
    canary = Target(foreign.JOB_CANARY, Service.CANARY, Purpose.EXPORTER)
    longterm = (
        Target(foreign.JOB_THANOS_SIDECAR, Service.THANOS_SIDECAR, Purpose.UI),
        Target(foreign.JOB_THANOS_STORE, Service.THANOS_STORE, Purpose.UI),
        Target(foreign.JOB_THANOS_COMPACTOR, Service.THANOS_COMPACTOR, Purpose.UI),
        Target(foreign.JOB_THANOS_QUERY, Service.THANOS_QUERY, Purpose.UI),
    )
    return (
        *([exporter] if plan.profile.metrics.delivery == "scrape" else []),
        *programs,
        *([canary] if plan.profile.canary.enabled else []),
        *(longterm if plan.profile.metrics.longterm.thanos else ()),
    )


def flags(plan: Plan, site: Site) -> tuple[str, ...]:
    """Command-line flags besides paths and addresses."""
    # Only what the configuration file cannot say. No lifecycle or admin API: both are without authentication.
    chosen = ["--enable-feature=exemplar-storage"]
    if plan.profile.metrics.delivery == "otlp":
        chosen.append("--web.enable-otlp-receiver")
    return (*chosen, *thanos.flags(plan), *protection.flags(plan, Service.PROMETHEUS, site))


def _artifact(plan: Plan, site: Site) -> Artifact:
    text = fill(f"prometheus/{NAME}.j2", **_facts(plan, site))
    description = f"Prometheus: what is scraped, how long samples are kept, which rules hold{suffix(site)}."
    return Artifact(below(site, NAME), text, description, Check.PROMTOOL_CONFIG)


def _facts(plan: Plan, site: Site) -> dict[str, object]:
    metrics = plan.profile.metrics
    interval = metrics.scrape_interval
    return {
        "interval": interval,
        "timeout": interval if interval.seconds <= _SCRAPE_TIMEOUT else "10s",
        "environment_label": ENVIRONMENT_LABEL,
        "environment": plan.profile.environment,
        "environment_attribute": ENVIRONMENT.name,
        "rules": "prometheus/rules/*.yaml" if site is Site.COMPOSE else "../prometheus/rules/*.yaml",
        "retention": metrics.retention,
        "out_of_order": OUT_OF_ORDER,
        "exemplars": EXEMPLARS,
        "otlp": metrics.delivery == "otlp",
        "strategy": plan.naming.translation_strategy,
        "alertmanager": plan.address(Service.ALERTMANAGER, Purpose.UI, site),
        "alerting_pass": _pass(plan, Service.ALERTMANAGER, Purpose.UI, site),
        "targets": [
            (
                target,
                _addresses(plan, target, site),
                _pass(plan, target.service, target.purpose, site),
            )
            for target in targets(plan)
        ],
        **remote.facts(plan, site),
    }


def _addresses(plan: Plan, target: Target, site: Site) -> list[str]:
    replicas = (service for service in plan.services if service.role is target.service)
    return [plan.address(replica, target.purpose, site) for replica in replicas]


def _pass(plan: Plan, service: Service, purpose: Purpose, site: Site) -> protection.Pass | None:
    return protection.credentials(plan, str(Service.PROMETHEUS), service, purpose, site)
