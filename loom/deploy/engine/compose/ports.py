"""What stands in a start's way: ports and container names that somebody else has."""

from collections.abc import Sequence

from loom.deploy.engine import conflict
from loom.deploy.engine.compose import project as projects
from loom.deploy.engine.compose.daemon import Daemon
from loom.deploy.engine.deployment import Deployment
from loom.deploy.engine.lifecycle import Watch
from loom.errors import EngineError, Problem


def refuse(daemon: Daemon, deployment: Deployment, services: Sequence[str], watch: Watch) -> None:
    """PortConflictError for ports, EngineError for names; what is our own project's already is free to us."""
    ours = projects.project(deployment.home).name
    owners = {name: found for name, found in daemon.owners().items() if found[0] != ours}
    held = {port for box in daemon.boxes(ours) if box.pid for port in box.ports}
    wanted = [
        port
        for port in deployment.plan.ports
        if port.published and port.service in services and port.native not in held
    ]
    containers = {port: name for name, (_, ports) in owners.items() for port in ports}
    conflict.refuse(deployment.plan, wanted, conflict.LINGER, containers)
    names = projects.container_names(deployment.name, deployment.plan)
    taken = [names[service] for service in services if names.get(service) in owners]
    if taken:
        watch.say("", "nothing was started")
        raise EngineError(*(_taken(name, owners[name][0]) for name in taken))


def _taken(name: str, project: str) -> Problem:
    whose = f"the compose project {project}" if project else "no compose project"
    hint = f"docker rm -f {name}, or run beside it: --name other --set ports.offset=1000"
    return Problem(f"there is a container {name} already, of {whose}", hint=hint)
