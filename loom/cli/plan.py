"""`loom-deploy plan`: what a profile opens, takes and keeps, before anything runs."""

import json

import click

from loom.cli.remarks import say_remarks
from loom.cli.screen import Column, prose, show, titled
from loom.cli.usage import ProfileCommand, setting
from loom.deploy import api
from loom.deploy.plan.finding import human, span
from loom.deploy.plan.model import Plan
from loom.deploy.plan.summary import EdgeSummary, PortSummary, ServiceSummary, Summary, summarize

_SERVICES = (
    *titled("service", "image", "memory", "GOMEMLIMIT"),
    Column("ports (host:container)", prose=True),
    Column("volume"),
)
_FACTS = (Column(), Column(prose=True))
_EDGES = (
    Column("edge"),
    Column("what travels", prose=True),
    *titled("encrypted", "caller shows", "network"),
)


@click.command("plan", cls=ProfileCommand)
@click.option("--profile", "profile", required=True, metavar="NAME|PATH", help="The profile.")
@setting()
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
    prose(f"{summary['profile']} ({summary['environment']}): {summary['description']}")
    click.echo()
    show(_SERVICES, [_row(service) for service in summary["services"]])
    click.echo()
    show(_FACTS, _facts(plan, summary))
    click.echo()
    show(_EDGES, [_edge(edge) for edge in summary["edges"]])
    _show_waivers(summary)


def _edge(edge: EdgeSummary) -> tuple[str, ...]:
    encrypted = "yes" if edge["encrypted"] else "waived" if edge["waiver"] else "no"
    shown = "nothing" if edge["method"] == "none" else edge["method"]
    return (edge["edge"], edge["what"], encrypted, shown, edge["network"])


def _show_waivers(summary: Summary) -> None:
    waived = [edge for edge in summary["edges"] if edge["waiver"]]
    if waived:
        click.echo("\nwaivers")
        for edge in waived:
            prose(f"  {edge['edge']} {edge['waiver']}")


def _row(service: ServiceSummary) -> tuple[str, ...]:
    published = [_port(port) for port in service["ports"] if port["published"]]
    return (
        service["service"],
        service["image"],
        f"{service['memory_mib']} MiB",
        f"{service['gomemlimit_mib']} MiB" if service["gomemlimit_mib"] else "-",
        " ".join(published),
        service["volume"] or "-",
    )


def _port(port: PortSummary) -> str:
    """`host:container`, or the one number that both are; with an address where others reach it too."""
    host, container = port["host"], port["container"]
    address = "0.0.0.0:" if port["outside"] else ""
    return f"{address}{host}" if host == container else f"{address}{host}:{container}"


def _facts(plan: Plan, summary: Summary) -> list[tuple[str, str]]:
    estimate, limiter, memory = plan.estimate, plan.limiter, plan.estimate.memory_mib
    return [
        ("disk", f"{human(summary['disk'])}, all volumes together"),
        ("memory", f"{human(memory * 2**20)} ({memory} MiB), all limits together"),
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
    room = human(plan.profile.volumes.jaeger.base)
    return f"{tracing.retention} on disk, about {human(kept['bytes'])} of {room}"


def _queue(summary: Summary) -> str:
    queue = summary["queue"]
    where = "on disk" if queue["storage"] == "disk" else "in memory"
    lasting = f", lasts {span(queue['seconds'])} of spans" if queue["seconds"] else ""
    return f"{queue['items']:,} {where}, about {human(queue['bytes'])} when full{lasting}"
