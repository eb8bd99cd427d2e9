"""How the result of `loom-deploy secrets` looks: names of files and what became of them, never a content."""

from collections.abc import Sequence

import click

from loom.cli.vault import Target
from loom.deploy.credentials import audit, keeping
from loom.deploy.credentials.keeping import Kept
from loom.deploy.plan.model import Service
from loom.errors import FindingError, Problem

_AT_START = {
    str(Service.GRAFANA): "Grafana reads it when it starts: restart it, unless it is told below",
}


def show(target: Target, kept: Sequence[Kept]) -> None:
    """A line for each file; FindingError when one is still missing."""
    for one in kept:
        note = _AT_START.get(one.holder, "") if one.state == "changed" else ""
        click.echo(f"  {f'{one.holder}/{one.name}':<32}{one.state}{f' ({note})' if note else ''}")
    missing = [keeping.find(target.plan, one.holder, one.name) for one in kept if one.state == "missing"]
    if missing:
        raise FindingError(
            *(
                Problem("has to come from you", f"{one.holder}/{one.file}", hint=audit.remedy(one))
                for one in missing
            )
        )
