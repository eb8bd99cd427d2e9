"""`loom-deploy status`: what runs, and whether it is ready."""

import click

from loom.cli.deployment import find, which
from loom.cli.usage import ProfileCommand
from loom.deploy import api
from loom.deploy.engine import ServiceStatus
from loom.errors import FindingError, Problem


@click.command("status", cls=ProfileCommand)
@which
def command(profile: str, name: str) -> None:
    """Show every service of a deployment; exit 1 when one is not ready, or dies again and again."""
    deployment = find(profile, name)
    statuses = api.status(deployment)
    click.echo(f"{deployment.name} (profile {deployment.plan.profile.name}, engine {deployment.engine})")
    _table(statuses)
    run = {status.service for status in statuses}
    for service in deployment.plan.services:
        if service not in run:
            click.echo(f"  {service:<18}not run")
    problems = [problem for status in statuses for problem in _problems(status)]
    for status in statuses:
        if status.tail:
            click.echo(f"\nlast log lines of {status.service}:")
            click.echo("\n".join(f"  {line}" for line in status.tail))
    if problems:
        raise FindingError(*problems)


def _table(statuses: tuple[ServiceStatus, ...]) -> None:
    click.echo(f"  {'SERVICE':<18}{'STATE':<11}{'PID':>8}{'UPTIME':>9}{'RESTARTS':>10}  {'READY':<6}URL")
    for status in statuses:
        pid, ready = status.pid or "-", "yes" if status.ready else "no"
        row = f"  {status.service:<18}{status.state:<11}{pid:>8}{_uptime(status):>9}{status.restarts:>10}"
        click.echo(f"{row}  {ready:<6}{status.url}")


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
