"""What is asked of whom over HTTP. Data."""

from loom.deploy import programs
from loom.deploy.drift.live.evidence import Question
from loom.deploy.plan.model import Plan, Purpose, Service

PROMETHEUS = (Service.PROMETHEUS, Purpose.UI, "/api/v1/status/config")
FLAGS = (Service.PROMETHEUS, Purpose.UI, "/api/v1/status/flags")
RUNTIME = (Service.PROMETHEUS, Purpose.UI, "/api/v1/status/runtimeinfo")
BUILD = (Service.PROMETHEUS, Purpose.UI, "/api/v1/status/buildinfo")
RULES = (Service.PROMETHEUS, Purpose.UI, "/api/v1/rules")
ALERTMANAGER = (Service.ALERTMANAGER, Purpose.UI, "/api/v2/status")
SOURCES = (Service.GRAFANA, Purpose.UI, "/api/datasources")
BOARDS = (Service.GRAFANA, Purpose.UI, "/api/search?type=dash-db&limit=1000")
METRICS = "/metrics"
COLLECTOR = (Service.COLLECTOR, Purpose.TELEMETRY, METRICS)
JAEGER = (Service.JAEGER, Purpose.TELEMETRY, METRICS)
SHAPES: dict[Question, tuple[str, ...]] = {
    PROMETHEUS: ("data", "yaml"),
    RULES: ("data", "groups"),
    ALERTMANAGER: ("config", "original"),
}
"""Question → where in the answer stands what was asked for."""
WORDLESS = {
    programs.OTELCOL.name: "no page of it says its configuration: its file, start and queues were compared",
    programs.JAEGER.name: "no page of it says its configuration: its file and start were compared",
}
"""Programs that say of themselves only metrics, however many services run them."""
_ONCE = (PROMETHEUS, FLAGS, RUNTIME, BUILD, RULES, ALERTMANAGER, SOURCES, BOARDS)


def questions(plan: Plan) -> tuple[Question, ...]:
    """Every question that there is a port for."""
    wordless = ((service, Purpose.TELEMETRY, METRICS) for service in services(plan, *WORDLESS))
    return tuple(one for one in (*_ONCE, *wordless) if plan.has(one[0], one[1]))


def services(plan: Plan, *names: str) -> tuple[Service, ...]:
    """The services that run one of these programs, replicas and all."""
    return tuple(one.service for one in plan.containers if one.program.name in names)


def reachable(plan: Plan, question: Question, *, inside: bool) -> bool:
    """Whether the port can be asked from here: a container's only where it is published."""
    return not inside or plan.port(question[0], question[1]).published
