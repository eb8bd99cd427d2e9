"""Grafana's provisioning: the data sources, and where it finds the dashboards."""

from loom.contract import attributes, resource
from loom.contract.attribute import Attribute
from loom.contract.metrics import action_broker, event_bus
from loom.contract.promql import Matcher, Queries
from loom.deploy.artifacts import protection
from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan, Purpose, Service, Site

PROMETHEUS_UID, JAEGER_UID, ALERTMANAGER_UID = "prometheus", "jaeger", "alertmanager"
"""Dashboards, exemplars and links refer to data sources by these, never by name."""
FOLDER = "Loom"
"""Grafana refuses a dashboard that is titled like its folder."""
DASHBOARDS = "/var/lib/grafana/dashboards"
"""Where the container sees `grafana/dashboards/`."""
EXEMPLAR_LABEL = "trace_id"
"""The label that OpenTelemetry's exemplars carry the trace in, on either delivery path."""

_TAGS = "$__tags"
"""Grafana's variable for the labels of the clicked span's process."""
_TRACE_LABELS: tuple[tuple[Attribute, str], ...] = (
    # Jaeger keeps the service's name apart from the other resource attributes, where Grafana may not look for
    # it; the instance says it as well.
    (resource.SERVICE_NAME, resource.JOB),
    (resource.SERVICE_INSTANCE_ID, resource.INSTANCE),
    (resource.ENVIRONMENT, resource.ENVIRONMENT_LABEL),
)


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The data sources and the dashboard provider."""
    return (
        Artifact(
            "grafana/provisioning/datasources/loom.yaml",
            fill("grafana/datasources.yaml.j2", **_sources(plan)),
            "Grafana's data sources: Prometheus and Jaeger, each linked with the other, and Alertmanager.",
        ),
        Artifact(
            "grafana/provisioning/dashboards/loom.yaml",
            fill("grafana/dashboards.yaml.j2", folder=FOLDER, path=DASHBOARDS),
            "Tells Grafana to load every dashboard of `grafana/dashboards/`, yours too.",
        ),
    )


def _sources(plan: Plan) -> dict[str, object]:
    metrics = plan.profile.metrics
    return {
        "uids": {"prometheus": PROMETHEUS_UID, "jaeger": JAEGER_UID, "alertmanager": ALERTMANAGER_UID},
        # Grafana runs in a container only: it has no module or package that could be built.
        "urls": {
            "prometheus": plan.url(metrics_service(plan), Purpose.UI, Site.COMPOSE),
            "jaeger": plan.url(Service.JAEGER, Purpose.UI, Site.COMPOSE),
            "alertmanager": plan.url(Service.ALERTMANAGER, Purpose.UI, Site.COMPOSE),
        },
        "passes": {
            "prometheus": _pass(plan, metrics_service(plan)),
            "jaeger": _pass(plan, Service.JAEGER),
            "alertmanager": _pass(plan, Service.ALERTMANAGER),
        },
        # Samples are new no more often than the slower of the two; a rate over less would show steps.
        "interval": str(max(metrics.scrape_interval, metrics.export_interval)),
        "exemplar_label": EXEMPLAR_LABEL,
        "tags": [(attribute.name, label) for attribute, label in _TRACE_LABELS],
        "queries": trace_queries(plan),
        "kind": "Thanos" if plan.profile.metrics.longterm.thanos else "Prometheus",
    }


def metrics_service(plan: Plan) -> Service:
    """Who answers Grafana's questions about metrics."""
    return Service.THANOS_QUERY if plan.profile.metrics.longterm.thanos else Service.PROMETHEUS


def trace_queries(plan: Plan) -> list[tuple[str, str]]:
    """What a span links to, as (name, PromQL): metrics of the process that recorded it."""
    placeholder = Matcher(resource.JOB, "=", _TAGS)
    q, status = Queries(plan.naming, (placeholder,)), attributes.CALL_STATUS.label
    queries = (
        ("Events published per second", q.rate(event_bus.PUBLISHED)),
        ("Invocations per second, by status", q.rate(action_broker.INVOCATIONS, (status,))),
        ("p99 invoke latency", q.quantile(0.99, action_broker.INVOKE_LATENCY)),
        ("Backlog", q.value(event_bus.BACKLOG)),
    )
    return [(name, query.text.replace(str(placeholder), _TAGS)) for name, query in queries]


def _pass(plan: Plan, service: Service) -> protection.Pass | None:
    return protection.credentials(plan, str(Service.GRAFANA), service, Purpose.UI, Site.COMPOSE)
