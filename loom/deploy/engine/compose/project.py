"""A deployment as a compose project: names, files, services and their images. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loom.deploy import programs
from loom.deploy.artifacts import compose, workload
from loom.deploy.engine.deployment import Home, writing
from loom.deploy.plan.edges import LOOM, PROBE
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Plan, Service

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
OVERRIDE = "compose.override.yaml"
"""In the run folder: container names of a deployment that has not its profile's name."""
PINNED = (
    *(one.reference for one in (programs.OTELCOL, programs.JAEGER, programs.PROMETHEUS)),
    *(one.reference for one in (programs.ALERTMANAGER, programs.GRAFANA, programs.LOOM)),
    *(one.reference for one in (programs.CADDY, programs.THANOS)),
)
"""All images of a deployment whose record is gone."""
OPTIONAL = (Service.GRAFANA, Service.PROXY, Service.CANARY, *THANOS, LOOM, PROBE)
"""Services without which a deployment still collects, stores and alerts."""


@dataclass(frozen=True, slots=True)
class Project:
    """What `docker compose` is told of a deployment."""

    name: str
    """`loom-observability-dev`, as the rendered file says for a deployment of its profile's name."""
    files: tuple[Path, ...] = ()
    """The rendered file, and the override where there is one; none to address a project by name only."""


def project(home: Home) -> Project:
    """The project by its name, whatever lies in the deployment's folders."""
    return Project(f"loom-observability-{home.name}")


def written(home: Home, plan: Plan) -> Project:
    """The project with its files; writes the override, which a deployment of its profile's name has not."""
    rendered, override = home.rendered / compose.NAME, home.run / OVERRIDE
    if home.name == plan.profile.name:
        override.unlink(missing_ok=True)
        return Project(project(home).name, (rendered,))
    names = container_names(home.name, plan)
    lines = [f"  {service}:\n    container_name: {name}\n" for service, name in names.items()]
    with writing(override):
        override.write_text("services:\n" + "".join(lines))
    return Project(project(home).name, (rendered, override))


def container_names(name: str, plan: Plan) -> dict[str, str]:
    """Service → container name, for those with a name of their own: Docker knows each name once."""
    documented = {str(container.service): container.name for container in plan.containers}
    documented[LOOM] = workload.LOOM_CONTAINER
    if name == plan.profile.name:
        return documented
    return {service: f"loom-{name}-{own.removeprefix('loom-')}" for service, own in documented.items()}


def images(plan: Plan) -> Mapping[str, str]:
    """Service → image reference, of all that `status` speaks of."""
    found = {str(container.service): container.program.reference for container in plan.containers}
    return {**found, LOOM: plan.profile.loom.image, PROBE: programs.LOOM.reference}


def remedy(service: str, reference: str) -> str:
    """How a missing image is got."""
    if reference == programs.LOOM.reference:
        return "loom-deploy images build"
    command = f"docker pull {reference}"
    return command if service in OPTIONAL else f"{command}, or loom-deploy images build"
