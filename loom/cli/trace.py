"""`loom-deploy trace`: one trace as a tree."""

import json
import re

import click

from loom.cli.deployment import find, say, which
from loom.deploy.engine import Deployment
from loom.deploy.verify.trace import Trace
from loom.deploy.verify.trace_source import address, read
from loom.deploy.verify.trace_text import Line, header, lines
from loom.deploy.verify.trace_tree import document, grow
from loom.errors import FindingError, Problem

_ID = re.compile(r"[0-9a-f]{1,32}")


def _checked(context: click.Context, parameter: click.Parameter, value: str) -> str:
    del context, parameter
    trace_id = value.strip().lower()
    if trace_id and not _ID.fullmatch(trace_id):
        message = f"{value!r} is no trace id: 32 hexadecimal digits"
        raise click.BadParameter(message)
    return trace_id


@click.command("trace")
@click.argument("trace_id", default="", metavar="[TRACE_ID]", callback=_checked)
@which
@click.option("--service", "services", multiple=True, help="Without an id: only traces with this service.")
@click.option("--json", "machine", is_flag=True, help="As JSON, for machines: every attribute of every span.")
def command(trace_id: str, profile: str, name: str, services: tuple[str, ...], machine: bool) -> None:  # noqa: FBT001 - click passes by keyword
    """Show one trace as a tree, one line a span.

    Without an id: the trace of the last hour that most processes took part in, and of those the one with most
    spans.
    """
    deployment = find(profile, name)
    trace = read(deployment, trace_id, services)
    if trace is None:
        raise FindingError(_absent(deployment, trace_id, services))
    _show(deployment, trace, machine=machine)


def _show(deployment: Deployment, trace: Trace, *, machine: bool) -> None:
    tree = grow(trace)
    if machine:
        click.echo(json.dumps(document(tree), indent=2, ensure_ascii=False))
        return
    for line in (*header(tree), Line(f"  {address(deployment, trace.trace_id)}"), Line(""), *lines(tree)):
        say(click.style(line.text, fg="red") if line.bad else line.text)


def _absent(deployment: Deployment, trace_id: str, services: tuple[str, ...]) -> Problem:
    if trace_id:
        hint = "it takes a few seconds to arrive; one that was not sampled, or is too old, is not kept"
        return Problem(f"there is no trace {trace_id} in {deployment.name}", hint=hint)
    what = f" of {' or '.join(services)}" if services else ""
    hint = f"run Loom with the variables of {deployment.home.rendered / '.env'}; loom-deploy verify says more"
    return Problem(f"no trace{what} has arrived in {deployment.name} within the last hour", hint=hint)
