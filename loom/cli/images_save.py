"""`loom-deploy images save`: a deployment in one file, for a site without a registry."""

import os
import tempfile
from pathlib import Path

import click

from loom.cli.selection import select, which
from loom.deploy import artifacts
from loom.deploy.images import Cargo, Runtime, build_wheel, connect, fetch, here, inventory, save


@click.command("save")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@which
@click.option("--allow-missing", is_flag=True, help="Leave out images that are not on this machine.")
@click.option(
    "--wheels/--no-wheels", default=True, show_default=True, help="Whether to carry Python packages."
)
def command(
    file: Path, profile: str, services: tuple[str, ...], *, allow_missing: bool, wheels: bool
) -> None:
    """Write the images, the wheels of loom-deploy and the rendered profile into FILE, with checksums of all.

    The wheels are for this Python and this kind of machine. FILE is written whole or not at all.
    """
    chosen = select(profile, services)
    daemon = connect()
    with tempfile.TemporaryDirectory() as name:
        packages = _wheels(Path(name)) if wheels else []
        cargo = Cargo(
            chosen.plan.profile.name,
            inventory(chosen.images, daemon),
            artifacts.render(chosen.plan),
            packages,
            incomplete=allow_missing,
        )
        manifest = save(cargo, file, daemon)
    for reference in manifest.images:
        click.echo(f"  {reference}")
    for reference in manifest.missing:
        click.echo(f"  {reference} is not in it: it is not on this machine")
    click.echo(f"{file}: {len(manifest.members)} members, {file.stat().st_size / 1e6:.0f} MB")
    click.echo(f"on the other side: loom-deploy images load {file.name} --expect {manifest.sha256()}")


def _wheels(folder: Path) -> list[Path]:
    """Everything `pip install --no-index` needs for loom-deploy itself."""
    runtime = Runtime()
    runtime.require()
    locked = sorted(fetch(here(), os.environ).glob("*.whl"))
    return [*locked, build_wheel(runtime.checkout, folder, os.environ)]
