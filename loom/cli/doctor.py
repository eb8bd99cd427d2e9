"""`loom-deploy doctor`: the one thing that is broken, and what to do."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import click

from loom.cli import screen
from loom.cli.deployment import chosen, which
from loom.cli.usage import ProfileCommand, setting
from loom.deploy import api
from loom.deploy.doctor import (
    CHECKS,
    Diagnosis,
    Effects,
    Endpoint,
    Finding,
    Internet,
    LocalMachine,
    Stack,
    Verdict,
    diagnose,
    embedded,
    endpoints,
    gather,
)
from loom.deploy.doctor.checks.steps import BEYOND
from loom.deploy.doctor.environment import malformed
from loom.deploy.engine import Deployment
from loom.errors import EngineError, FindingError, Problem

_COLUMNS = (*screen.titled("", ""), screen.Column(prose=True))
"""Verdict, check, evidence: they need no heads."""
_CALLED = {Verdict.OK: "checks ok", Verdict.WARNING: "with a warning"}
"""How many of them, in the last line."""


class Options(TypedDict):
    """What the command line says."""

    profile: str
    name: str
    overrides: tuple[str, ...]
    given: tuple[str, ...]
    config: Path | None
    show_all: bool
    as_json: bool


@click.command("doctor", cls=ProfileCommand)
@which
@setting("Override a value of the profile; may be repeated.")
@click.option(
    "--endpoint",
    "given",
    multiple=True,
    metavar="WHAT=URL",
    help=f"Where something is, of a stack that was started otherwise: {', '.join(Endpoint)}.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, path_type=Path),
    help="Folder of the configuration, or the collector's file.",
)
@click.option("--all", "show_all", is_flag=True, help="Every check with its evidence, not only problems.")
@click.option("--json", "as_json", is_flag=True, help="Every check as JSON.")
def command(**options: Unpack[Options]) -> None:
    """Go through every step of troubleshooting, and say which one is broken and what to do.

    Exit code 1 when something is broken. With endpoints and neither profile nor name it looks at a stack that
    loom-deploy did not start; what cannot be asked then is `not applicable`.
    """
    stack = _stack(options)
    effects = Effects(Internet(stack.access, stack.guarded), LocalMachine())
    diagnosis = diagnose(CHECKS, gather(stack, effects))
    if options["as_json"]:
        click.echo(json.dumps(_document(diagnosis), indent=2))
    else:
        _show(diagnosis, show_all=options["show_all"])
    if diagnosis.first:
        # What to do stands above, or in the JSON.
        raise FindingError(Problem(f"{diagnosis.first.check.name} is broken"))


def _stack(options: Options) -> Stack:
    given = dict(_endpoint(text) for text in options["given"])
    if given and not options["profile"] and not options["name"]:
        return Stack(given, folder=options["config"], environ=os.environ)
    deployment = _deployment(options)
    plan = deployment.plan if deployment else api.load_plan(options["profile"] or "dev", options["overrides"])
    found = deployment.home.rendered if deployment else Path("generated") / plan.profile.name
    read = found.is_dir() and not embedded(deployment)
    folder = options["config"] or (found if read else None)
    return Stack({**endpoints(plan, deployment), **given}, plan, deployment, folder, os.environ)


def _deployment(options: Options) -> Deployment | None:
    """What is up under the name; EngineError when one was named and is not."""
    name = chosen(options["profile"], options["name"])
    if name not in api.deployed() and not options["name"]:
        return None
    if options["overrides"]:
        message = f"deployment {name} runs as it was started: --set has no effect on it"
        raise EngineError(Problem(message, hint="leave --set out"))
    return api.find(name)


def _endpoint(text: str) -> tuple[Endpoint, str]:
    what, equals, url = text.partition("=")
    try:
        endpoint = Endpoint(what)
    except ValueError:
        message = f"{what!r} is no endpoint: one of {', '.join(Endpoint)}"
        raise click.BadParameter(message, param_hint="--endpoint") from None
    url = (url if "://" in url else f"http://{url}").rstrip("/")
    if not equals or malformed(url):
        message = f"{text!r} has no address: write {what}=http://HOST:PORT"
        raise click.BadParameter(message, param_hint="--endpoint")
    return endpoint, url


def _show(diagnosis: Diagnosis, *, show_all: bool) -> None:
    for number, cause in enumerate(diagnosis.causes):
        _block("first cause" if number == 0 else "broken too", cause, diagnosis.explained(cause))
    for verdict in (Verdict.WARNING, Verdict.CANNOT_TELL):
        for finding in diagnosis.of(verdict):
            if not finding.because:
                _block(verdict, finding)
    if show_all:
        screen.show(_COLUMNS, map(_row, diagnosis.findings), keys=2)
    counts = [f"{len(those)} {_CALLED.get(each, each)}" for each in Verdict if (those := diagnosis.of(each))]
    click.echo(("" if diagnosis.first else "healthy: ") + ", ".join(counts))


def _block(heading: str, finding: Finding, explained: Sequence[Finding] = ()) -> None:
    click.secho(f"{heading}: {finding.check.name}", fg="red" if finding.broken else "yellow", bold=True)
    judgement = finding.judgement
    rows = (
        ("should be", finding.check.title),
        ("found", judgement.evidence),
        ("do", judgement.remedy),
        ("explains", ", ".join(each.check.name for each in explained)),
        ("see", _section(finding.check.step)),
    )
    for label, text in rows:
        if text:
            click.echo(f"  {label:<10} {text}")


def _section(step: str) -> str:
    """Where the observability document speaks of it."""
    return "" if step == BEYOND else f"the observability document, {step}"


def _row(finding: Finding) -> tuple[str, str, str]:
    because = f" (because of {finding.because})" if finding.because else ""
    return finding.judgement.verdict, finding.check.name, f"{finding.judgement.evidence}{because}"


def _document(diagnosis: Diagnosis) -> dict[str, object]:
    """Names and verdicts are stable; evidence and remedies are for people."""
    first = diagnosis.first
    return {
        "healthy": first is None,
        "first_cause": first.check.name if first else None,
        "checks": [
            {
                "name": finding.check.name,
                "title": finding.check.title,
                "step": finding.check.step,
                "verdict": finding.judgement.verdict,
                "evidence": finding.judgement.evidence,
                "remedy": finding.judgement.remedy,
                "because": finding.because or None,
            }
            for finding in diagnosis.findings
        ],
    }
