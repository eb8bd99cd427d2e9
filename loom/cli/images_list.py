"""`loom-deploy images list`: how each image stands on this machine."""

import json
from dataclasses import asdict

import click

from loom.cli.screen import show, titled
from loom.cli.selection import select, which
from loom.deploy.images import Image, Origin, connect, inventory

HEX = 12
"""Digits of an id that people compare."""


@click.command("list")
@which
@click.option("--json", "machine", is_flag=True, help="As JSON, for machines.")
def command(profile: str, services: tuple[str, ...], *, machine: bool) -> None:
    """Show each image of a profile: whether it is here, where it is from, whether it is pinned."""
    images = inventory(select(profile, services).images, connect())
    if machine:
        click.echo(json.dumps([asdict(image) for image in images], indent=2))
        return
    columns = titled("service", "reference", "origin", "digest", "id", "size", "from")
    show(columns, [_row(image) for image in images])


def _row(image: Image) -> tuple[str, ...]:
    identity = image.id.removeprefix("sha256:")[:HEX]
    size = f"{image.size / 1e6:.0f} MB" if image.origin is not Origin.MISSING else ""
    return (image.service, image.reference, image.origin, image.pin, identity, size, image.source)
