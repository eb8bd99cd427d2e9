"""What promtool and amtool show when they ask the program beside them whether it is well."""

from loom.deploy.artifacts import protection
from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan, Purpose, Service, Site

_ASKED = {
    Service.PROMETHEUS: ("prometheus/http.yml", "promtool"),
    Service.ALERTMANAGER: ("alertmanager/http.yml", "amtool"),
}


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """A file for each of the two, none where nothing is protected; natively we ask ourselves."""
    return tuple(
        Artifact(path, fill("healthcheck/http.yml.j2", **{"pass": found}), _description(program, service))
        for service, (path, program) in _ASKED.items()
        if (found := _own(plan, service))
    )


def shown(plan: Plan, service: Service) -> str:
    """Path of the file for a service; empty where there is none."""
    return _ASKED[service][0] if service in _ASKED and _own(plan, service) else ""


def _own(plan: Plan, service: Service) -> protection.Pass | None:
    return protection.credentials(plan, str(service), service, Purpose.UI, Site.COMPOSE)


def _description(program: str, service: Service) -> str:
    return f"What {program} shows {service} in the health check of its container."
