"""`loom-deploy images load`: what `save` wrote, checked and taken in."""

from pathlib import Path

import click

from loom.deploy.images import Delivery, connect, load


@click.command("load")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the wheels and the rendered profile [default: FILE without its suffix].",
)
@click.option("--expect", default="", metavar="SHA256", help="What `save` printed: refuses any other bundle.")
@click.option("--force", is_flag=True, help="Let images of FILE take the references of pulled ones.")
def command(file: Path, output: Path | None, expect: str, *, force: bool) -> None:
    """Check every checksum of FILE, then load its images and unpack its wheels and rendered profile."""
    folder = output or Path(file.stem or file.name)
    manifest = load(Delivery(file, folder, expect, force=force), connect())
    for reference, identity in manifest.images.items():
        click.echo(f"  {reference}  {identity}")
    for reference in manifest.missing:
        click.echo(f"  {reference} was not in it")
    start = folder / "profile" / "docker-compose.observability.yaml"
    click.echo(f"profile {manifest.profile}: docker compose -f {start} up -d")
    if (folder / "wheels").is_dir():
        click.echo(f"loom-deploy itself: pip install --no-index --find-links {folder}/wheels loom-deploy")
