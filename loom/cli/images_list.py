"""`loom-deploy images list`: how each image stands on this machine."""

import json
from dataclasses import asdict

import click

from loom.cli.screen import screen
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
    _show(images)


def _show(images: tuple[Image, ...]) -> None:
    from rich.table import Column, Table  # noqa: PLC0415 - late: it is slow to import

    table = Table(
        "service",
        Column("reference", overflow="fold"),
        "origin",
        "digest",
        "id",
        "size",
        "from",
        box=None,
        pad_edge=False,
    )
    for image in images:
        here = image.origin is not Origin.MISSING
        identity = image.id.removeprefix("sha256:")[:HEX]
        size = f"{image.size / 1e6:.0f} MB" if here else ""
        table.add_row(image.service, image.reference, image.origin, image.pin, identity, size, image.source)
    screen().print(table)
