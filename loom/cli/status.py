"""`loom-deploy status`: what runs, and whether it is ready."""

import click

from loom.cli.deployment import find, which
from loom.cli.screen import show, titled
from loom.cli.usage import ProfileCommand
from loom.deploy import api
from loom.deploy.engine import ServiceStatus
from loom.errors import FindingError, Problem

_COLUMNS = titled("SERVICE", "STATE", "PID", "UPTIME", "RESTARTS", "READY", "URL")


@click.command("status", cls=ProfileCommand)
@which
def command(profile: str, name: str) -> None:
    """Show every service of a deployment; exit 1 when one is not ready, or dies again and again."""
    deployment = find(profile, name)
    statuses = api.status(deployment)
    click.echo(f"{deployment.name} (profile {deployment.plan.profile.name}, engine {deployment.engine})")
    run = {status.service for status in statuses}
    absent = [service for service in deployment.plan.services if service not in run]
    show(_COLUMNS, [*map(_row, statuses), *((service, "not run", *[""] * 5) for service in absent)])
    problems = [problem for status in statuses for problem in _problems(status)]
    for status in statuses:
        if status.tail:
            click.echo(f"\nlast log lines of {status.service}:")
            click.echo("\n".join(f"  {line}" for line in status.tail))
    if problems:
        raise FindingError(*problems)


def _row(status: ServiceStatus) -> tuple[str, ...]:
    pid, ready = str(status.pid or "-"), "yes" if status.ready else "no"
    return (
        status.service,
        status.state,
        pid,
        _uptime(status),
        str(status.restarts),
        ready,
        status.url,
    )


def _uptime(status: ServiceStatus) -> str:
    seconds = round(status.uptime)
    if not status.pid:
        return "-"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{seconds % 60:02}s"


def _problems(status: ServiceStatus) -> list[Problem]:
    if status.looping:
        message = f"{status.service} dies again and again: {status.restarts} times in the last minutes"
        return [Problem(f"{message}; {status.obstacle}" if status.obstacle else message)]
    return [Problem(f"{status.service} is not ready: {status.obstacle}")] if status.obstacle else []
