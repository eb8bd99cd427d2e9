"""`loom-deploy plan`: what a profile opens, takes and keeps, before anything runs."""

import json
import sys
from typing import TYPE_CHECKING

import click

from loom.cli.remarks import say_remarks
from loom.cli.screen import screen
from loom.deploy import api
from loom.deploy.plan.finding import human, span
from loom.deploy.plan.model import Plan
from loom.deploy.plan.summary import ServiceSummary, Summary, summarize

if TYPE_CHECKING:
    from rich.table import Table


@click.command("plan")
@click.option("--profile", "profile", required=True, metavar="NAME|PATH", help="The profile.")
@click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Override a value; may be repeated.")
@click.option("--json", "machine", is_flag=True, help="As JSON, for machines.")
def command(profile: str, overrides: tuple[str, ...], machine: bool) -> None:  # noqa: FBT001 - click's own way
    """Show what a profile will cost and open: memory, disk, series, ports.

    Numbers are estimates for the profile's workload. A profile that cannot work is refused with every reason.
    """
    plan = api.load_plan(profile, overrides)
    api.artifacts(plan)  # what `render` would refuse is refused here
    summary = summarize(plan)
    if machine:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    _show(plan, summary)
    say_remarks(plan)


def _show(plan: Plan, summary: Summary) -> None:
    from rich import box  # noqa: PLC0415 - late: only a table for people needs it
    from rich.table import Table  # noqa: PLC0415 - the same

    terminal, console = sys.stdout.isatty(), screen()
    style = box.SIMPLE if terminal else None
    services = Table(
        "service", "image", "memory", "GOMEMLIMIT", "ports (host:container)", "volume", box=style
    )
    for service in summary["services"]:
        services.add_row(*_row(service))
    facts = Table(show_header=False, box=style)
    for name, value in _facts(plan, summary):
        facts.add_row(name, value)
    click.echo(f"{summary['profile']} ({summary['environment']}): {summary['description']}\n")
    console.print(services)
    click.echo()
    console.print(facts)
    click.echo()
    console.print(
        _edges(summary, Table("edge", "what travels", "encrypted", "caller shows", "network", box=style))
    )
    _show_waivers(summary)


def _edges(summary: Summary, table: "Table") -> "Table":
    for edge in summary["edges"]:
        encrypted = "yes" if edge["encrypted"] else "waived" if edge["waiver"] else "no"
        shown = "nothing" if edge["method"] == "none" else edge["method"]
        table.add_row(edge["edge"], edge["what"], encrypted, shown, edge["network"])
    return table


def _show_waivers(summary: Summary) -> None:
    waived = [edge for edge in summary["edges"] if edge["waiver"]]
    if waived:
        click.echo("\nwaivers")
        for edge in waived:
            click.echo(f"  {edge['edge']} {edge['waiver']}")


def _row(service: ServiceSummary) -> tuple[str, ...]:
    published = [
        f"{'0.0.0.0:' * port['outside']}{port['host']}:{port['container']}"
        for port in service["ports"]
        if port["published"]
    ]
    return (
        service["service"],
        service["image"],
        f"{service['memory_mib']} MiB",
        f"{service['gomemlimit_mib']} MiB" if service["gomemlimit_mib"] else "-",
        " ".join(published),
        service["volume"] or "-",
    )


def _facts(plan: Plan, summary: Summary) -> list[tuple[str, str]]:
    estimate, limiter = plan.estimate, plan.limiter
    return [
        ("disk", f"{human(summary['disk'])}, all volumes together"),
        ("memory", f"{human(estimate.memory_mib * 2**20)}, all limits together"),
        ("limiter", f"{limiter.limit_mib} MiB, spike {limiter.spike_mib} MiB"),
        ("series", f"at most {estimate.series:,}, {estimate.samples_per_second:,.0f} samples/s"),
        ("spans", f"{estimate.spans_per_second:,.0f}/s ({plan.profile.tracing.sampler})"),
        ("metrics", _metrics(plan, summary)),
        ("traces", _traces(plan, summary)),
        ("queue", _queue(summary)),
    ]


def _metrics(plan: Plan, summary: Summary) -> str:
    retention, kept = plan.profile.metrics.retention, summary["metrics"]
    first = f"{kept['limit']} is reached first"
    filled = f"after {span(kept['seconds'])}, {human(kept['bytes'])}"
    return f"{retention.time} or {retention.size}: {first}, {filled}"


def _traces(plan: Plan, summary: Summary) -> str:
    tracing, kept = plan.profile.tracing, summary["traces"]
    if kept["limit"] == "count":
        lasting = f", {span(kept['seconds'])} of the workload" if kept["seconds"] else ""
        return f"{tracing.max_traces:,} in memory{lasting}"
    return f"{tracing.retention} on disk, about {human(kept['bytes'])} of {plan.profile.volumes.jaeger}"


def _queue(summary: Summary) -> str:
    queue = summary["queue"]
    where = "on disk" if queue["storage"] == "disk" else "in memory"
    lasting = f", lasts {span(queue['seconds'])} of spans" if queue["seconds"] else ""
    return f"{queue['items']:,} {where}, about {human(queue['bytes'])} when full{lasting}"
