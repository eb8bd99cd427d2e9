"""`loom-deploy images lock`: digests into the profile's lock file."""

import re

import click

from loom.cli.selection import select, which
from loom.deploy.images import connect, lock, merged, write
from loom.deploy.profile.lockfile import REGISTRY, place
from loom.deploy.programs import LOOM


@click.command("lock")
@which
@click.option(
    "--registry",
    default="",
    metavar="HOST:PORT",
    help="Pin to this registry; images of this machine are pushed.",
)
@click.option("--allow-missing", is_flag=True, help="Leave out images that cannot be had.")
def command(profile: str, services: tuple[str, ...], registry: str, *, allow_missing: bool) -> None:
    """Write the digest behind each reference into PROFILE.images.lock.

    `render` then names exactly these images.
    """
    if registry and not re.fullmatch(REGISTRY, registry):
        message = f"{registry!r} is not HOST:PORT"
        raise click.UsageError(message)
    chosen = select(profile, services)
    found = lock(chosen.images, connect(), registry, incomplete=allow_missing)
    file = place(profile)
    write(merged(chosen.pins, found), file)
    for reference, digest in found.digests.items():
        click.echo(f"  {reference}  {digest}")
    for one in chosen.images:
        if one.upstream.tagged not in found.digests:
            why = "it is built here" if one.program.name == LOOM.name else "it cannot be had here"
            click.echo(f"  {one.upstream.tagged}  not pinned: {why}")
    click.echo(f"{file}: {len(found.digests)} pinned; now: loom-deploy render --profile {profile}")
