"""`loom-deploy check`: any program's telemetry against the contract; what a team puts into its own CI."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, Unpack

import click

from loom.cli import junit
from loom.cli.seconds import SECONDS
from loom.deploy.embedded import Requirement, Trial, TrialResult, document, require, run, text
from loom.deploy.embedded.environment import GRPC, HTTP
from loom.deploy.embedded.report import MetricRow, SpanRow, State
from loom.deploy.embedded.requirement import EVERYTHING
from loom.deploy.verify.finding import Finding, Proof, Verdict
from loom.errors import FindingError, InputError, Problem

_SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a program."""


class Options(TypedDict):
    """What the command line says."""

    command: tuple[str, ...]
    wanted: Requirement
    timeout: float
    protocol: str
    as_json: bool
    junit_file: Path | None


def _wanted(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> Requirement:
    del context, parameter
    try:
        return require(value)
    except InputError as error:
        raise click.BadParameter("; ".join(map(str, error.problems))) from None


@click.command("check", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.option(
    "--require",
    "wanted",
    multiple=True,
    metavar="all|emitted|NAME",
    callback=_wanted,
    help="What must be seen: all (default), emitted (what the components in use always record), or a scope, "
    "a metric, a scope/span; may be repeated.",
)
@click.option("--timeout", type=SECONDS, default=600.0, show_default=True, help="For COMMAND to end.")
@click.option(
    "--protocol", default=GRPC, show_default=True, type=click.Choice([GRPC, HTTP]), help="OTLP's transport."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, COMMAND's output to stderr.")
@junit.option
def command(**options: Unpack[Options]) -> None:
    """Run COMMAND, and check the telemetry it emits against the contract.

    A receiver in this process takes it: nothing needs to be installed or started. Exit 1 when something is
    not as the contract says, was required and not seen, or COMMAND failed.

    Example: loom-deploy check --require emitted -- pytest tests/agents
    """
    junit.require(options["junit_file"])
    trial = Trial(
        options["command"],
        options["wanted"],
        options["protocol"],
        options["timeout"],
        options["as_json"],
    )
    result = run(trial)
    try:
        for line in [json.dumps(_document(result), indent=2)] if options["as_json"] else _lines(result):
            click.echo(line)
    finally:  # also when nobody reads the report
        junit.write(options["junit_file"], _proof(result), "check")
    if result.interrupted:
        sys.exit(_SIGNALLED + result.interrupted)
    summary = text.verdict(result.report)
    if result.problems:
        said = "; ".join([*(problem.message for problem in result.own), summary])
        raise FindingError(Problem(said, hint=_advice(result, options["wanted"])))
    click.echo(summary, err=options["as_json"])


def _advice(result: TrialResult, wanted: Requirement) -> str:
    """What is likely meant when all that is wrong is that not everything was seen."""
    report = result.report
    only_absent = report.absent and not (result.own or report.faults or report.dropped)
    if only_absent and report.processes and wanted == EVERYTHING:
        return "a program that uses a part of the runtime wants --require emitted"
    return ""


def _document(result: TrialResult) -> dict[str, object]:
    ran = {"exit_code": result.code, "seconds": round(result.seconds, 3), "late": result.late}
    return {**document(result.report), "good": not result.problems, "command": ran}


def _lines(result: TrialResult) -> Iterator[str]:
    yield ""
    for problem in result.own:
        yield f"  {'FAILED':<9}{problem}"
    yield from text.problem_lines(result.report)
    yield from text.table_lines(result.report)


def _proof(result: TrialResult) -> Proof:
    """The report as findings, for CI servers."""
    own = [Finding("command", "exit", Verdict.WRONG, problem.message) for problem in result.own]
    wrong = [
        Finding(found.fault.subject, found.fault.name, Verdict.WRONG, found.fault.text, found.fault.hint)
        for found in result.report.faults
    ]
    missing = [
        Finding(fault.subject, fault.name, Verdict.MISSING, fault.text, fault.hint)
        for fault in result.report.absent
    ]
    bad = {(finding.subject, finding.name) for finding in (*wrong, *missing)}
    rows: list[MetricRow | SpanRow] = [*result.report.metrics, *result.report.spans]
    good = [_finding(row) for row in rows]
    return Proof(
        [*own, *wrong, *missing, *(each for each in good if (each.subject, each.name) not in bad)],
        result.seconds,
    )


def _finding(row: MetricRow | SpanRow) -> Finding:
    subject, name = ("metric", row.name) if isinstance(row, MetricRow) else ("span", row.key)
    seen = row.state in {State.SEEN, State.PARTLY}
    return Finding(subject, name, Verdict.FOUND if seen else Verdict.NOT_EXPECTED, row.state)
