"""`loom-deploy certs rotate`: new certificates, or a new authority step by step, while programs run."""

from dataclasses import replace
from typing import Unpack

import click

from loom.cli.issuing import Issuing, issuing, ordered, show
from loom.cli.usage import ProfileCommand
from loom.cli.vault import Target, which
from loom.deploy.credentials import succession
from loom.deploy.credentials.issue import State
from loom.deploy.credentials.rotation import renew
from loom.deploy.credentials.succession import Step
from loom.deploy.engine import reread
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.identity import identities


class Options(Issuing):
    """What the command line says."""

    only: tuple[str, ...]
    keep_keys: bool
    step: str | None


_NEXT = {
    Step.TRUST: "everybody trusts the next authority too, within two minutes; then: --authority issue",
    Step.ISSUE: "the new authority signed everything; every service shows that within two minutes; "
    "then: --authority drop",
    Step.DROP: "nobody trusts the old authority any more",
}


@click.command("rotate", cls=ProfileCommand)
@click.option("--only", multiple=True, metavar="PARTY", help="Only this party; may be repeated.")
@click.option(
    "--authority",
    "step",
    type=click.Choice([str(step) for step in Step]),
    help="A step towards a new authority: first trust, then issue, at last drop.",
)
@click.option("--keep-keys", is_flag=True, help="Renew the certificates for the same keys.")
@issuing
@which
def command(target: Target, **options: Unpack[Options]) -> None:
    """Replace keys and certificates while programs run: they read them again, without a restart.

    A new authority takes three steps, so that nobody distrusts anybody on the way: `--authority trust`,
    `--authority issue`, `--authority drop`. Between them every program has to read its files again: of a
    running deployment those that do not look by themselves are told, Grafana is restarted, all others look
    within two minutes.
    """
    order = replace(ordered(options), keep_keys=options["keep_keys"])
    only, step = options["only"], options["step"]
    if step and only:
        message = "--authority concerns everybody: --only does not go with it"
        raise click.UsageError(message)
    if not identities(target.plan):
        click.echo(f"the profile {target.plan.profile.name} needs no certificates")
        return
    vault = target.found
    if step:
        issued = succession.replace(target.plan, vault, order, Step(step))
    else:
        issued = renew(target.plan, vault, order, only)
    show(vault.folder, issued)
    # A step changes whom everybody trusts, also where the certificate stays.
    changed = {one.party for one in issued if step or one.state is State.REPLACED}
    told = reread(target.rendered, changed, authorities=step is not None)
    if told:
        click.echo(f"told to read them now: {', '.join(told)}; everybody else looks by itself")
    if any(port.outside for port in target.plan.ports) and LOOM in changed:
        click.echo(
            f"other machines that send hold copies of {vault.folder / LOOM}: bring them the new files,"
        )
        click.echo("before their certificate ends, and after each step towards a new authority")
    if step:
        click.echo(_NEXT[Step(step)])
