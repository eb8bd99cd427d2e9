"""Every runbook, and the pages: text of files, in order of name."""

from collections.abc import Mapping, Sequence

from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.files import alerts
from loom.deploy.artifacts.runbooks import (
    agents,
    bus,
    delivery,
    objectives,
    outward,
    pipeline,
    storage,
    telemetry,
)
from loom.deploy.artifacts.runbooks.runbook import Ask, Runbook
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan, Purpose, Service

BOOK: Mapping[str, Runbook] = {
    **objectives.BOOK,
    **bus.BOOK,
    **agents.BOOK,
    **telemetry.BOOK,
    **delivery.BOOK,
    **pipeline.BOOK,
    **storage.BOOK,
    **outward.BOOK,
}
"""Name of an alert → its runbook."""
INDEX = "README.md"


def runbook(alert: Alert) -> Runbook:
    """The alert's; KeyError when it has none."""
    return BOOK[alert.name]


def pages(plans: Sequence[Plan]) -> dict[str, str]:
    """File name → text: a page for each alert of any of the plans, and the index.

    An alert of several plans has the numbers of the first.
    """
    found = {alert.name: (plan, alert) for plan in reversed(plans) for alert in alerts(plan)}
    texts = {f"{name}.md": _page(*found[name]) for name in sorted(found)}
    index = fill("runbooks/index.md.j2", names=sorted(found), plan=plans[0], ports=_ports(plans[0]))
    return {INDEX: index, **texts}


def _page(plan: Plan, alert: Alert) -> str:
    ask, chosen = Ask(plan), runbook(alert)
    facts = {
        "alert": alert,
        "pulse": alert.severity is Severity.NONE,
        "runbook": chosen,
        "own": ask.expression("what fires", alert.expression),
        "steps": chosen.steps(ask),
        "series": sorted(series.name for series in alert.expression.series),
    }
    return fill("runbooks/page.md.j2", **facts)


def _ports(plan: Plan) -> Mapping[str, int]:
    asked = {
        "prometheus": (Service.PROMETHEUS, Purpose.UI),
        "alertmanager": (Service.ALERTMANAGER, Purpose.UI),
        "jaeger": (plan.traces, Purpose.UI),
        "collector": (Service.COLLECTOR, Purpose.HEALTH),
    }
    return {name: plan.port(*where).native for name, where in asked.items()}
