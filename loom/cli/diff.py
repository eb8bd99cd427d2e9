"""`loom-deploy diff`: two profiles by meaning, or what programs run against what was rendered."""

import json
from typing import TypedDict, Unpack

import click

from loom.cli.deployment import find, which
from loom.cli.output import say
from loom.cli.screen import prose
from loom.cli.usage import setting
from loom.deploy import api
from loom.deploy.drift import live, profiles
from loom.deploy.plan.model import Plan
from loom.errors import DriftError, EngineError


class Options(TypedDict):
    """What the command line says."""

    compared: tuple[str, ...]
    overrides: tuple[str, ...]
    live: bool
    profile: str
    name: str
    as_json: bool


@click.command("diff")
@click.argument("compared", nargs=-1, metavar="[A [B]]")
@setting("Override a value of B; may be repeated.")
@click.option("--live", is_flag=True, help="Ask running programs what they run, instead of two profiles.")
@which
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def command(**options: Unpack[Options]) -> int:
    """Compare two profiles by meaning, or with --live what runs with what was rendered.

    A and B are names or paths of profiles. What weakens security comes first. With A alone, B is A with what
    --set says: what would this change mean?

    Exit code: 0 no differences, 1 differences; with --live 4 when a program does not answer and no
    difference was found.

    Examples: loom-deploy diff dev prod; loom-deploy diff prod --set security.tls.mode=off;
    loom-deploy diff --live --name prod
    """
    return _live(options) if options["live"] else _profiles(options)


def _profiles(options: Options) -> int:
    names, plans = _plans(options)
    found = profiles.compare(*plans)
    if options["as_json"]:
        say(json.dumps(profiles.document(found, names), indent=2, ensure_ascii=False))
    else:
        for line in profiles.lines(found, names):
            prose(line, say)
    return DriftError.exit_code if found else 0


def _plans(options: Options) -> tuple[tuple[str, str], tuple[Plan, Plan]]:
    """The names by which the two are shown, and their plans."""
    compared, overrides = options["compared"], options["overrides"]
    if options["profile"] or options["name"]:
        message = "--profile and --name go with --live; without it name two profiles: loom-deploy diff A B"
        raise click.UsageError(message)
    if not (len(compared) == 2 or (len(compared) == 1 and overrides)):
        message = "name two profiles, or one and --set; or take --live"
        raise click.UsageError(message)
    first, second = compared[0], compared[-1]
    plans = api.load_plan(first), api.load_plan(second, overrides)
    return _names((first, second), plans, overrides), plans


def _names(said: tuple[str, str], plans: tuple[Plan, Plan], overrides: tuple[str, ...]) -> tuple[str, str]:
    """The profiles' own names; as they were said, and with what was set, where those are the same."""
    own = plans[0].profile.name, plans[1].profile.name
    if own[0] != own[1]:
        return own
    if said[0] != said[1]:
        return said
    return own[0], f"{own[1]} with {' '.join(overrides)}" if overrides else own[1]


def _live(options: Options) -> int:
    if options["compared"] or options["overrides"]:
        message = "--live takes a deployment by --profile or --name: no profiles to compare, and no --set"
        raise click.UsageError(message)
    report = live.inspect(find(options["profile"], options["name"]))
    if options["as_json"]:
        say(json.dumps(live.document(report), indent=2, ensure_ascii=False))
    else:
        for line in live.lines(report):
            prose(line, say)
    if report.differences:
        return DriftError.exit_code
    return EngineError.exit_code if report.unreached else 0
