"""What works in a profile and may surprise, said to people beside the output of a command."""

import click

from loom.deploy.plan import Plan, remarks


def say_remarks(plan: Plan, where: str = "") -> None:
    """One line each, on standard error: the output is for machines; `where` tells several plans apart."""
    for remark in remarks(plan):
        click.echo(f"note: {where}{': ' * bool(where)}{remark}", err=True)
