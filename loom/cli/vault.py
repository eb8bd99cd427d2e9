"""What `loom-deploy certs` and `secrets` share: whose credentials are meant, and where they lie."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from loom.cli.deployment import named
from loom.cli.usage import setting
from loom.deploy import api
from loom.deploy.credentials import ownership
from loom.deploy.credentials.advice import advised, selection
from loom.deploy.credentials.vault import Vault, prepare, vault
from loom.deploy.engine import Home
from loom.deploy.plan.identity import FOLDER, identities, secrets
from loom.deploy.plan.model import Plan

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Target:
    """A plan, and the rendered folder below which its credentials lie."""

    plan: Plan
    rendered: Path
    options: str
    """By which both were named on the command line: `--profile prod --name other`."""

    @property
    def made(self) -> Vault:
        """The vault, made when there is none; WriteError."""
        return prepare(self.rendered)

    @property
    def place(self) -> Vault:
        """Where it lies, or would lie."""
        return Vault(self.rendered / FOLDER)

    @property
    def found(self) -> Vault:
        """The vault that is there; MachineError when there is none."""
        return vault(self.rendered)


def which(command: Command) -> Command:
    """The options `--profile`, `--set`, `--name` and `--output`, as one argument `target`."""

    def resolved(
        profile: str, overrides: tuple[str, ...], name: str, output: Path | None, **others: object
    ) -> Any:  # noqa: ANN401 - whatever the command returns
        target = _target(profile, overrides, name, output)
        with advised(target.options):
            return command(target=target, **others)

    resolved.__doc__ = command.__doc__
    return _options(resolved)  # type: ignore[return-value]  # click's decorators keep the callable


def warn(target: Target, found: Vault) -> None:
    """Say whose containers could not read their folders."""
    parties = {one.name: one.owner for one in identities(target.plan)}
    holders = {one.holder: one.owner for one in secrets(target.plan)}
    for problem in ownership.strangers(found, parties | holders):
        click.echo(f"note: {problem}", err=True)


def _target(profile: str, overrides: tuple[str, ...], name: str, output: Path | None) -> Target:
    plan, options = api.load_plan(profile, overrides), selection(profile, name, overrides, output)
    if output is not None:
        if name:
            message = "take --name or --output, not both"
            raise click.UsageError(message)
        return Target(plan, output, options)
    try:
        return Target(plan, Home.of(name or plan.profile.name, os.environ).rendered, options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--output",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="FOLDER",
            help="A folder that was rendered, instead of a deployment's own.",
        ),
        click.option(
            "--name", default="", callback=named, help="The deployment (default: the profile's name)."
        ),
        setting(),
        click.option("--profile", required=True, metavar="NAME|PATH", help="The profile."),
    ):
        command = option(command)
    return command
