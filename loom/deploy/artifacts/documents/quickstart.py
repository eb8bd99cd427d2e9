"""QUICKSTART.md: five minutes from nothing to a trace, with this profile's ports and names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from loom.contract import environment as variables
from loom.contract.environment import Variable
from loom.contract.metrics import event_bus
from loom.deploy.artifacts import compose, environment, workload
from loom.deploy.artifacts.documents import traffic
from loom.deploy.artifacts.grafana import FOLDER
from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.prometheus import targets
from loom.deploy.artifacts.template import fill
from loom.deploy.plan import topology
from loom.deploy.plan.edges import LOOM, OPERATOR
from loom.deploy.plan.identity import ADMIN, Kind, secrets
from loom.deploy.plan.identity import FOLDER as FOLDER_OF_SECRETS
from loom.deploy.plan.model import Plan, Port, Purpose, Service

NAME = "QUICKSTART.md"
EXAMPLE = "loom.examples.mcp_integration"
"""The module whose telemetry the first look is at."""
_HOST = "localhost"


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look."""

    title: str
    url: str
    purpose: str


def artifact(plan: Plan, others: Sequence[Artifact]) -> Artifact:
    """The document; `others` tells which dashboards there are."""
    profile = plan.profile
    facts = {
        "profile": profile,
        "compose": compose.NAME,
        "env": environment.NAME,
        "example": EXAMPLE,
        "settings": _settings(plan),
        "sampler": variables.SAMPLER.name,
        "canary": Service.CANARY in plan.services,
        "demonstration": workload.demonstration(plan),
        "places": _places(plan),
        "urls": {purpose: _url(plan, *where) for purpose, where in _ADDRESSES.items() if plan.has(*where)},
        "exported": plan.has(*_ADDRESSES["exporter"]) and plan.port(*_ADDRESSES["exporter"]).published,
        "tracing": _collector(plan, lambda duty: Service.JAEGER in duty.traces),
        "pushing": _collector(plan, lambda duty: duty.metrics),
        "images": [container.program.reference for container in plan.containers],
        "numbers": "|".join(str(port.native) for port in published(plan)),
        "given": [secret for secret in secrets(plan) if secret.kind is Kind.GIVEN],
        "protected": plan.profile.security.tls.mode != "off",
        "authenticated": _authenticated(plan),
        "credentials": FOLDER_OF_SECRETS,
        "operator": OPERATOR,
        "curl": "ask" if plan.profile.security.tls.mode != "off" else "curl",
        "folder": FOLDER,
        "dashboards": sum(other.path.startswith("grafana/dashboards/") for other in others),
        "targets": len(targets(plan)),
        "first": traffic.counted(plan),
        "rate": traffic.rate(plan),
        "load": traffic.load(plan),
        "series": plan.naming.series(event_bus.PUBLISHED).name,
        "prefix": plan.naming.base(event_bus.PUBLISHED).split("_", 1)[0],
        "wait": round(profile.metrics.export_interval.seconds + profile.metrics.scrape_interval.seconds),
    }
    text = fill(f"documents/{NAME}.j2", **facts)
    return Artifact(NAME, text, "Five minutes: start, send telemetry, look at it, stop.")


_ADDRESSES = {
    "prometheus": (Service.PROMETHEUS, Purpose.UI),
    "alertmanager": (Service.ALERTMANAGER, Purpose.UI),
    "grafana": (Service.GRAFANA, Purpose.UI),
    "health": (Service.COLLECTOR, Purpose.HEALTH),
    "exporter": (Service.COLLECTOR, Purpose.EXPORTER),
}


def published(plan: Plan) -> list[Port]:
    """Ports on the host, ascending."""
    return sorted((port for port in plan.ports if port.published), key=lambda port: port.native)


def _collector(plan: Plan, does: Callable[[topology.Duty], bool]) -> str:
    """Container of the first collector with a duty: whose log tells how that goes."""
    collectors = topology.collectors(plan.profile)
    return next(plan.container(one).name for one in collectors if does(topology.duty(plan.profile, one)))


def _authenticated(plan: Plan) -> bool:
    """Whether people are asked for a password: that they are spoken to under TLS does not say so."""
    return plan.profile.security.authentication != "off"


def _url(plan: Plan, service: Service, purpose: Purpose) -> str:
    return f"{plan.scheme(service, purpose)}://{_HOST}:{plan.port(service, purpose).native}"


def _places(plan: Plan) -> list[Place]:
    known = f"from `{FOLDER_OF_SECRETS}/grafana/{ADMIN}`"
    login = known if _authenticated(plan) else "`admin`, to be changed at the first login"
    traces = _url(plan, plan.traces, Purpose.UI)
    return [
        Place("Jaeger", traces, "traces: choose the service, then an operation"),
        Place("Prometheus", _url(plan, *_ADDRESSES["prometheus"]), "metrics, rules, targets"),
        Place("Alertmanager", _url(plan, *_ADDRESSES["alertmanager"]), "alerts that fire, silences"),
        Place("Grafana", _url(plan, *_ADDRESSES["grafana"]), f"dashboards; user `admin`, password {login}"),
    ]


def _settings(plan: Plan) -> list[tuple[Variable, str]]:
    profile = plan.profile
    return [
        *environment.endpoints(plan, partial(_url, plan)).items(),
        (variables.SERVICE_NAME, profile.loom.service_name),
        (variables.SAMPLER, str(profile.tracing.sampler)),
        (variables.ENVIRONMENT, profile.environment),
        *environment.credentials(plan, LOOM, f"{FOLDER_OF_SECRETS}/{LOOM}").items(),
    ]
