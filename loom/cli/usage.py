"""Wrong usage, told with what was probably meant."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from loom.deploy import api
from loom.deploy.profile.overrides import override
from loom.errors import Problem

Function = TypeVar("Function", bound=Callable[..., Any])


class ProfileCommand(click.Command):
    """One that takes a profile by `--profile`, and says so to whoever writes the name alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; UsageError."""
        given = list(args)  # the parser takes them out one by one
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            meant = [argument for argument in given if argument in api.profile_names()]
            if meant and "--profile" not in given:
                message = f"{error.format_message().rstrip('.')}: did you mean --profile {meant[0]}?"
                raise click.UsageError(message, ctx) from None
            raise


def setting(told: str = "Override a value; may be repeated.") -> Callable[[Function], Function]:
    """The option `--set`; what it says of values is judged with the profile, its form here."""
    return click.option("--set", "overrides", multiple=True, metavar="A.B=C", help=told, callback=_formed)


def _formed(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    del context, parameter
    wrong = [one for one in map(override, value) if isinstance(one, Problem)]
    if wrong:
        raise click.BadParameter("; ".join(str(replace(one, file="")) for one in wrong))
    return value
