"""Which images of which profile a command of `loom-deploy images` is about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from loom.deploy import api, profile
from loom.deploy.images import Wanted, wanted
from loom.deploy.plan.model import Plan
from loom.deploy.profile import Pins

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Selection:
    """A profile, and the images of its services or of some of them."""

    profile: str
    """As the user named it."""
    plan: Plan
    pins: Pins
    images: tuple[Wanted, ...]


def which(command: Command) -> Command:
    """The options `--profile` and `--service`."""
    command = click.option(
        "--profile", default="dev", show_default=True, metavar="NAME|PATH", help="The profile."
    )(command)
    return click.option(
        "--service",
        "services",
        multiple=True,
        metavar="NAME",
        help="A service; may be repeated [default: all].",
    )(command)


def select(name: str, services: tuple[str, ...]) -> Selection:
    """What is meant; ProfileError, PlanError or InputError."""
    plan, pins = api.load_plan(name), profile.pins(name)
    return Selection(name, plan, pins, wanted(plan, services))
