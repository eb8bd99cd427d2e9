"""`loom-deploy certs create`: an authority, and a certificate for every party that lacks one."""

from typing import Unpack

import click

from loom.cli.issuing import Issuing, issuing, ordered, show
from loom.cli.usage import ProfileCommand
from loom.cli.vault import Target, warn, which
from loom.deploy.credentials.issue import create


class Options(Issuing):
    """What the command line says."""

    force: bool


@click.command("create", cls=ProfileCommand)
@issuing
@click.option("--force", is_flag=True, help="Replace certificates that are there, yours too.")
@which
def command(target: Target, **options: Unpack[Options]) -> None:
    """Make an authority, and a certificate for every party of the profile that has none.

    What is there stays as it is. Certificates of your own: put ca.pem, cert.pem and key.pem into a party's
    folder first. The authority's key, secrets/authority/key.pem, is needed by `create` and `rotate` only:
    keep it elsewhere if you like, and name it with --ca-key.
    """
    issued = create(target.plan, target.made, ordered(options, force=options["force"]))
    show(target.made.folder, issued)
    warn(target, target.made)
