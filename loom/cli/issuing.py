"""What `certs create` and `certs rotate` share: the order, and how its result looks."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from loom.deploy.credentials.authority import AUTHORITY_DAYS, DAYS, Order
from loom.deploy.credentials.issue import Issued

Command = TypeVar("Command", bound=Callable[..., Any])
MOST_DAYS = 36500


class Issuing(TypedDict):
    """What both are told."""

    days: int
    authority_days: int
    hosts: tuple[str, ...]
    ca: Path | None
    ca_key: Path | None


def issuing(command: Command) -> Command:
    """The options of who signs, for whom and for how long."""
    file = click.Path(dir_okay=False, exists=True, path_type=Path)
    days = click.IntRange(1, MOST_DAYS)
    for option in (
        click.option("--ca-key", type=file, metavar="FILE", help="The key of the authority that signs."),
        click.option("--ca", type=file, metavar="FILE", help="Sign with an authority of your own."),
        click.option(
            "--hosts",
            multiple=True,
            metavar="HOST",
            help="A further name or address of every server; may be repeated.",
        ),
        click.option(
            "--ca-days",
            "authority_days",
            type=days,
            default=AUTHORITY_DAYS,
            show_default=True,
            help="How long a new authority is valid.",
        ),
        click.option("--days", type=days, default=DAYS, show_default=True, help="How long certificates are."),
    ):
        command = option(command)
    return command


def ordered(options: Issuing, *, force: bool = False) -> Order:
    """What is asked for."""
    return Order(
        days=options["days"],
        authority_days=options["authority_days"],
        hosts=options["hosts"],
        ca=options["ca"],
        ca_key=options["ca_key"],
        force=force,
    )


def show(folder: Path, issued: Sequence[Issued]) -> None:
    """A line for each party, and a summary."""
    for one in issued:
        own = "  yours" if one.yours else ""
        click.echo(f"  {one.party:<16}{one.state:<10}until {one.ends:%Y-%m-%d}{own}")
    counted = Counter(one.state for one in issued)
    click.echo(f"{folder}: {', '.join(f'{number} {state}' for state, number in counted.items())}")
