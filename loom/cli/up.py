"""`loom-deploy up`: a profile runs on this machine."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypedDict, Unpack

import click

from loom.cli.demonstration import demonstrate, say_next
from loom.cli.deployment import say, show
from loom.cli.remarks import say_remarks
from loom.deploy import api
from loom.deploy.engine import Choice, Deployment, NativeEngine, choose, embedded
from loom.deploy.plan import topology
from loom.deploy.plan.edges import OPERATOR
from loom.deploy.plan.identity import PASSWORD
from loom.deploy.plan.model import Service
from loom.errors import EngineError, Problem


class Options(TypedDict):
    """What the command line says."""

    profile: str
    overrides: tuple[str, ...]
    name: str
    engine: str
    timeout: float
    require_all: bool
    prove: bool


_OTLP = "telemetry, by OTLP"
_LOOK = {
    Service.PROMETHEUS: "metrics, rules, targets",
    Service.ALERTMANAGER: "alerts",
    Service.GRAFANA: "dashboards",
    Service.CANARY: "how old the newest arrival is",
    embedded.RECEIVER: _OTLP,
    embedded.PAGE: "what arrives, and what is not as the contract says",
}


@click.command("up")
@click.option("--profile", default="dev", show_default=True, metavar="NAME|PATH", help="The profile to run.")
@click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Override a value; may be repeated.")
@click.option("--name", default="", help="Name of the deployment (default: the profile's).")
@click.option("--engine", default="", metavar="ENGINE", help="What runs it (default: the first that can).")
@click.option("--timeout", default=api.READY, show_default=True, metavar="SECONDS", help="To become ready.")
@click.option("--require-all", is_flag=True, help="Fail when the engine cannot run each service here.")
@click.option("--prove", is_flag=True, help="Send an example's telemetry through it and verify it.")
def command(**options: Unpack[Options]) -> None:
    """Start a deployment and wait until every service is ready.

    Again on a running one: brings it up to date. A second one beside the first needs a name and other
    ports: --name other --set ports.offset=1000. An interrupt leaves nothing of what was started.
    """
    plan = api.load_plan(options["profile"], options["overrides"])
    running = api.running_on(plan, options["name"])
    choice = choose(plan, options["engine"] or running)
    if running and not options["engine"]:
        choice = replace(choice, reason="it runs this deployment already")
    _say_choice(choice)
    if options["require_all"] and choice.absences:
        raise EngineError(*(Problem(f"{service}: {why}") for service, why in choice.absences.items()))
    with _uninterrupted():
        deployment = api.up(plan, choice, show, name=options["name"], deadline=options["timeout"])
        if options["prove"]:
            _prove(deployment, fresh=not running)
        _say_where(deployment)
        say_remarks(plan)
    if options["prove"]:
        say_next(deployment)


def _prove(deployment: Deployment, *, fresh: bool) -> None:
    try:
        demonstrate(deployment)
    except KeyboardInterrupt:
        if fresh:  # an interrupt leaves nothing of what was started
            api.down(deployment.name, show)
        raise


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """SIGTERM is an interrupt too, and a second one does not disturb the cleaning up after the first."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def interrupt(number: int, frame: object) -> None:
        del number, frame
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _say_choice(choice: Choice) -> None:
    say(f"engine {choice.engine.name}: {choice.reason}")
    for engine, why in choice.passed.items():
        say(f"  {engine} cannot work here: {why}")
    for service, why in choice.absences.items():
        say(f"  not run: {service} ({why})")


def _say_where(deployment: Deployment) -> None:
    plan = deployment.plan
    look: dict[str, str] = {**_LOOK, plan.traces: "traces"}
    look |= dict.fromkeys(map(str, topology.entries(plan.profile)), _OTLP)
    say(f"{deployment.name} is up")
    for status in api.status(deployment):
        if status.url:
            say(f"  {status.service:<14} {status.url:<24} {look.get(status.service, '')}".rstrip())
    if (login := deployment.access.login()) is not None:
        say(f"  user {login[0]}, password in {deployment.home.secrets / OPERATOR / PASSWORD}")
    if deployment.engine == NativeEngine.name:
        say("  Built without web pages, these answer as APIs: `loom-deploy trace` and `verify` ask them.")
    say("Tell Loom where to report:")
    say(f"  set -a; . '{deployment.home.rendered / '.env'}'; set +a")
