"""`loom-deploy up`: a profile runs on this machine."""

from dataclasses import replace
from typing import TypedDict, Unpack

import click

from loom.cli.demonstration import demonstrate, say_next
from loom.cli.deployment import named, show
from loom.cli.interruption import undone
from loom.cli.output import say
from loom.cli.remarks import say_remarks
from loom.cli.seconds import SECONDS
from loom.cli.usage import ProfileCommand, setting
from loom.deploy import api, engine
from loom.deploy.credentials.advice import advised, selection
from loom.deploy.engine import Choice, Deployment, choose, embedded, pageless
from loom.deploy.plan import topology
from loom.deploy.plan.edges import OPERATOR
from loom.deploy.plan.identity import PASSWORD
from loom.deploy.plan.model import Service
from loom.deploy.profile.spelling import nearest
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


_API = "API only"
_OTLP = "telemetry, by OTLP"
_LOOK = {
    Service.PROMETHEUS: "metrics, rules, targets",
    Service.ALERTMANAGER: "alerts",
    Service.GRAFANA: "dashboards",
    Service.CANARY: "how old the newest arrival is",
    embedded.RECEIVER: _OTLP,
    embedded.PAGE: "what arrives, and what is not as the contract says",
}


def _known(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """No click.Choice: that would not say which one was meant."""
    del context, parameter
    names = [each.name for each in engine.engines()]
    if value and value not in names:
        message = f"there is no engine {value!r}: {nearest(value, names)}"
        raise click.BadParameter(message)
    return value


@click.command("up", cls=ProfileCommand)
@click.option("--profile", default="dev", show_default=True, metavar="NAME|PATH", help="The profile to run.")
@setting()
@click.option("--name", default="", callback=named, help="Name of the deployment (default: the profile's).")
@click.option(
    "--engine",
    default="",
    metavar=f"[{'|'.join(each.name for each in engine.engines())}]",
    callback=_known,
    help="What runs it (default: the first that can).",
)
@click.option(
    "--timeout",
    type=SECONDS,
    default=api.READY,
    show_default=True,
    metavar="SECONDS",
    help="To become ready.",
)
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
    name = options["name"]
    # Mostly the engine undoes it itself; not what it had done already when the interrupt came.
    undo = _nothing if running else api.undoing(plan, choice, show, name)
    with undone(undo):
        with advised(selection(options["profile"], name, options["overrides"])):
            deployment = api.up(plan, choice, show, name=name, deadline=options["timeout"])
        if options["prove"]:
            demonstrate(deployment)
        _say_where(deployment)
        say_remarks(plan)
        if options["prove"]:
            say_next(deployment)


def _nothing() -> None:
    """What ran before this `up` stays."""


def _say_choice(choice: Choice) -> None:
    say(f"engine {choice.engine.name}: {choice.reason}")
    for passed, why in choice.passed.items():
        say(f"  {passed} cannot work here: {why}")
    for service, why in choice.absences.items():
        say(f"  not run: {service} ({why})")


def _say_where(deployment: Deployment) -> None:
    plan = deployment.plan
    look: dict[str, str] = {**_LOOK, plan.traces: "traces"}
    look |= dict.fromkeys(map(str, topology.entries(plan.profile)), _OTLP)
    say(f"{deployment.name} is up")
    bare = False
    for status in api.status(deployment):
        if status.url:
            pages = not pageless(plan, status.service, deployment.access)
            what = ", ".join(filter(None, (look.get(status.service), "" if pages else _API)))
            say(f"  {status.service:<14} {status.url:<24} {what}".rstrip())
            bare |= not pages
    if (login := deployment.access.login()) is not None:
        say(f"  user {login[0]}, password in {deployment.home.secrets / OPERATOR / PASSWORD}")
    if bare:
        say(f"  {_API}: built without web pages; `loom-deploy trace` and `loom-deploy verify` ask for you")
    say("Tell Loom where to report:")
    say(f"  set -a; . '{deployment.home.rendered / '.env'}'; set +a")
