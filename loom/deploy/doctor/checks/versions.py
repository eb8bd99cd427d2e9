"""Which versions run, as the programs themselves say."""

from loom.deploy import programs
from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.model import Judgement, broken, cannot_tell, not_applicable, ok, warning
from loom.deploy.doctor.questions import ALERTMANAGER_STATUS, BUILD, GRAFANA_HEALTH
from loom.deploy.doctor.stack import Endpoint
from loom.deploy.plan.model import Service

PINNED = {
    Service.COLLECTOR: programs.OTELCOL,
    Service.JAEGER: programs.JAEGER,
    Service.PROMETHEUS: programs.PROMETHEUS,
    Service.ALERTMANAGER: programs.ALERTMANAGER,
    Service.GRAFANA: programs.GRAFANA,
}
_TARGET_INFO = "target_info"
_PAGES = {
    Service.COLLECTOR: Endpoint.COLLECTOR_METRICS,
    Service.JAEGER: Endpoint.JAEGER_METRICS,
}
_PLACES = {
    Service.PROMETHEUS: (Endpoint.PROMETHEUS, BUILD, ("data", "version")),
    Service.ALERTMANAGER: (Endpoint.ALERTMANAGER, ALERTMANAGER_STATUS, ("versionInfo", "version")),
    Service.GRAFANA: (Endpoint.GRAFANA, GRAFANA_HEALTH, ("version",)),
}
"""Service → endpoint, path, and where in the JSON its version stands."""
_TELLING = frozenset((*_PAGES.values(), *(endpoint for endpoint, _, _ in _PLACES.values())))


def running(evidence: Evidence, service: Service) -> str:
    """The version of a service without a leading v; empty when it does not say."""
    said = _on_page(evidence, service) if service in _PAGES else _in_answer(evidence, service)
    return said.removeprefix("v")


def judge_versions(evidence: Evidence) -> Judgement:
    """What runs is what the configuration was accepted by."""
    found = {service: said for service in Service if (said := running(evidence, service))}
    if not found and not _TELLING & evidence.stack.endpoints.keys():
        return not_applicable("no program is known that says its version")
    if not found:
        return cannot_tell("no program says its version")
    other = {service: said for service, said in found.items() if said != PINNED[service].version}
    if not other:
        return ok(", ".join(f"{service} {said}" for service, said in found.items()))
    said = "; ".join(
        f"{service} runs {v}, pinned is {PINNED[service].version}" for service, v in other.items()
    )
    if evidence.stack.plan is None:
        return warning(said, "compare the configuration with the documentation of the version that runs")
    return broken(f"{said}: the configuration was accepted by the pinned one", _remedy(evidence))


def _remedy(evidence: Evidence) -> str:
    deployment = evidence.stack.deployment
    if deployment is None:
        return "run the image of the pinned version: docker compose up -d --force-recreate"
    return f"loom-deploy down --name {deployment.name}, then loom-deploy up again"


def _on_page(evidence: Evidence, service: Service) -> str:
    page = evidence.page(_PAGES[service])
    points = page.all(_TARGET_INFO) if page else ()
    return next((point.labels.get("service_version", "") for point in points), "")


def _in_answer(evidence: Evidence, service: Service) -> str:
    if service not in _PLACES:
        return ""
    endpoint, path, keys = _PLACES[service]
    answer = evidence.asked(endpoint, path)
    found = answer.json if answer and answer.good else None
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return str(found or "")
