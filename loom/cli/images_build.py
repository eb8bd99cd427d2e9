"""`loom-deploy images build`: local images where none can be pulled."""

import click

from loom.cli.selection import select, which
from loom.deploy.images import Action, Result, Workshop, build, connect
from loom.errors import EngineError, Problem


@click.command("build")
@which
@click.option("--force", is_flag=True, help="Build also what is unchanged, and what replaces a pulled image.")
def command(profile: str, services: tuple[str, ...], *, force: bool) -> None:
    """Build local images under the upstream references, so that the rendered compose file runs unchanged.

    Each holds a program of the toolchain behind upstream's entry point, user, ports and volumes, and says in
    its labels that it was built here. Images that were pulled stay. Grafana's exists upstream only.
    """
    chosen = select(profile, services)
    results = build(chosen.images, Workshop(connect(), say=click.echo, force=force), _show)
    counts = {action: sum(result.action is action for result in results) for action in Action}
    click.echo(", ".join(f"{count} {action}" for action, count in counts.items() if count))
    impossible = [result for result in results if result.action is Action.IMPOSSIBLE]
    # Asked for by name, it is an error; as one of all, it is said and the others are of use.
    if services and impossible:
        raise EngineError(*(Problem(f"{one.reference} {one.action}", hint=one.detail) for one in impossible))


def _show(result: Result) -> None:
    time = f"{result.seconds:6.1f} s" if result.action is Action.BUILT else " " * 8
    note = f"  {result.detail}" if result.detail else ""
    click.echo(f"{result.service:<15} {result.reference:<45} {result.action:<15} {time}{note}")
