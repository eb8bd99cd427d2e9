"""What the commands about a running deployment share: which one, and how progress looks."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from loom.cli.output import GoneError
from loom.deploy import api
from loom.deploy.engine import Deployment, Home, Progress

Command = TypeVar("Command", bound=Callable[..., Any])


def which(command: Command) -> Command:
    """The options `--profile` and `--name`."""
    command = click.option(
        "--profile", default="", metavar="NAME|PATH", help="The profile that was started."
    )(command)
    return click.option(
        "--name", default="", callback=named, help="The deployment, if it was started with --name."
    )(command)


def named(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Callback of `--name`: a deployment's name, or nothing."""
    del context, parameter
    return value and _name(value)


def _name(value: str) -> str:
    try:
        return Home.of(value, os.environ).name
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def chosen(profile: str, name: str) -> str:
    """The name of the deployment that is meant; without either option, of the only one that is up."""
    if name or profile:
        return _name(name or Path(profile).stem)
    names = api.deployed()
    if len(names) > 1:
        message = f"several deployments are up; take --name: {', '.join(names)}"
        raise click.UsageError(message)
    return names[0] if names else "dev"


def find(profile: str, name: str) -> Deployment:
    """The deployment that is meant; EngineError when it is not up."""
    return api.find(chosen(profile, name), profile)


def show(progress: Progress) -> None:
    """One step, as a line."""
    say(f"  {progress.service} {progress.text}" if progress.service else f"  {progress.text}")


def say(line: str) -> None:
    """Print a line of something that goes on also when nobody listens: `loom-deploy up | head -1`."""
    with suppress(GoneError):
        click.echo(line)
