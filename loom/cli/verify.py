"""`loom-deploy verify`: whether the telemetry of the contract arrives."""

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

import click

from loom.cli import junit, screen
from loom.cli.deployment import find, say, which
from loom.cli.seconds import SECONDS
from loom.cli.usage import ProfileCommand
from loom.contract import scopes
from loom.deploy import api
from loom.deploy.verify import Proof, report
from loom.errors import FindingError, MissingTelemetryError

_COMPONENTS = {scope.removeprefix("loom."): scope for scope in scopes.ALL if scope != scopes.TELEMETRY}
"""Name on the command line → scope."""
_COLUMNS = (*screen.titled("", "", ""), screen.Column(prose=True))
"""Subject, name, verdict, detail: they need no heads."""
_EVERY = 10.0
"""Seconds between two looks of --watch: what Loom exports comes no more often by default."""


@click.command("verify", cls=ProfileCommand)
@which
@click.option("--service", "services", multiple=True, help="Only this service's telemetry; may be repeated.")
@click.option(
    "--component",
    "components",
    type=click.Choice(list(_COMPONENTS)),
    multiple=True,
    help="Only what this component records; may be repeated. Without it: everything.",
)
@click.option("--timeout", type=SECONDS, default=None, help="Default: what telemetry needs.")
@click.option("--json", "shape", flag_value="json", default="", help="Print the findings as JSON.")
@click.option("--watch", "shape", flag_value="watch", help="Go on looking, and print what changes.")
@click.option(
    "--edges", is_flag=True, help="Instead: try to come in on every port, with wrong credentials too."
)
@junit.option
def command(  # noqa: PLR0913 - click hands over each option by name
    *,
    profile: str,
    name: str,
    services: tuple[str, ...],
    components: tuple[str, ...],
    timeout: float | None,
    shape: str,
    edges: bool,
    junit_file: Path | None,
) -> None:
    """Prove that every metric and span of the contract arrives.

    Exit 1 and say what is missing, and where on its way it was lost. It looks for what arrived since the
    deployment was started, at most an hour ago, and looks again until all is there or the time is up.

    With --edges it looks at doors instead: every port of the edge graph must refuse plain text, old TLS,
    wrong and missing credentials, and let in each caller of the graph; exit 1 names those that do not.
    """
    if junit_file and shape == "watch":
        message = "--junit is written once, --watch does not end: take one of them"
        raise click.UsageError(message)
    if edges and shape == "watch":
        message = "--edges looks once: not with --watch"
        raise click.UsageError(message)
    junit.require(junit_file)
    deployment = find(profile, name)
    wanted = [_COMPONENTS[component] for component in components] or scopes.ALL
    look = partial(api.verify, deployment, services=services, components=wanted)
    if shape == "watch":
        _watch(lambda: look(timeout=0))
    proof = api.intrude(deployment) if edges else look(timeout=timeout)
    try:
        if shape == "json":
            click.echo(report.as_json(proof))
        else:
            _show(proof)
    finally:  # also when nobody reads them
        junit.write(junit_file, proof, "verify")
    if proof.bad:
        error = FindingError if edges else MissingTelemetryError
        raise error(*(finding.problem for finding in proof.bad))


def _show(proof: Proof) -> None:
    screen.show(_COLUMNS, report.as_rows(proof), keys=3)
    say(report.summary(proof))


def _watch(look: Callable[[], Proof]) -> NoReturn:
    """The first look whole, then what changes, until it is interrupted."""
    gc.enable()  # the command line does without, because a command ends soon: this one does not
    proof = look()
    _show(proof)
    while True:
        time.sleep(_EVERY)
        last, proof = proof, look()
        now = datetime.now(tz=UTC).astimezone().strftime("%H:%M:%S")
        for change in report.changes(last.findings, proof.findings):
            say(f"{now}  {change}")
