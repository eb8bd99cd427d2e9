"""`loom-deploy images build | list | save | load | lock`: the container images of a deployment."""

import click

from loom.cli.lazy import LazyGroup

COMMANDS = {
    "build": "Build local images under the upstream references, where none can be pulled.",
    "list": "Show each image: whether it is here, where it is from, whether it is pinned.",
    "save": "Write images, wheels and the rendered profile into one file, for a site without a registry.",
    "load": "Check such a file and take it in.",
    "lock": "Pin the profile's images by digest.",
}
"""Command → its one-line help."""


class Commands(LazyGroup):
    """`loom-deploy images …`."""

    table = COMMANDS
    prefix = "loom.cli.images_"


@click.group("images", cls=Commands)
def command() -> None:
    """Build, list, carry and pin the container images of a deployment."""
