"""Every dashboard of a plan."""

from loom.contract.metrics import telemetry
from loom.contract.promql import Matcher, Queries
from loom.contract.resource import ENVIRONMENT_LABEL, JOB
from loom.deploy.artifacts.dashboards import (
    action_broker,
    agents,
    event_bus,
    mcp,
    objectives,
    overview,
    pipeline,
    router,
    tools,
)
from loom.deploy.artifacts.dashboards.model import Board, Variable
from loom.deploy.artifacts.dashboards.panel import Panels
from loom.deploy.plan.model import Plan
from loom.deploy.plan.objectives import objectives as watched_in
from loom.deploy.plan.objectives import share

RATE_WINDOW = "$__rate_interval"
"""Grafana's variable: at least four scrapes, and wider when the user zooms out."""
RECENT_WINDOW = "5m"
"""What single numbers look back over."""
SERVICE, ENVIRONMENT = "service", "environment"
"""The dashboards' variables."""
_CHOSEN_ENVIRONMENT = Matcher(ENVIRONMENT_LABEL, "=~", f"${ENVIRONMENT}")
_CHOSEN_SERVICE = Matcher(JOB, "=~", f"${SERVICE}")


def boards(plan: Plan) -> tuple[Board, ...]:
    """The overview, one dashboard for each component, that of the objectives, and the pipeline's own."""
    panels, objective = _panels(plan), share(plan.profile, "invoke_success")
    watched = watched_in(plan)
    canary = plan.profile.canary
    return (
        overview.board(panels, objective),
        event_bus.board(panels, objective),
        action_broker.board(panels, objective),
        router.board(panels),
        agents.board(panels, objective),
        mcp.board(panels),
        tools.board(panels, objective),
        *((objectives.board(panels, watched),) if watched else ()),
        pipeline.board(
            panels,
            badger=plan.profile.tracing.storage == "badger",
            canary=canary.interval.seconds if canary.enabled else 0,
        ),
    )


def variables(plan: Plan) -> tuple[Variable, ...]:
    """Environment, then the services in it: of a series that every Loom process reports from its start."""
    everywhere = Queries(plan.naming).select(plan.naming.series(telemetry.SPANS_CREATED))
    chosen = Queries(plan.naming, (_CHOSEN_ENVIRONMENT,))
    there = chosen.select(plan.naming.series(telemetry.SPANS_CREATED))
    return (
        Variable(ENVIRONMENT, "Environment", everywhere, ENVIRONMENT_LABEL),
        Variable(SERVICE, "Service", there, JOB),
    )


def _panels(plan: Plan) -> Panels:
    queries = Queries(plan.naming, (_CHOSEN_ENVIRONMENT, _CHOSEN_SERVICE), RATE_WINDOW)
    return Panels(queries, queries.over(RECENT_WINDOW), Queries(plan.naming, (), RATE_WINDOW))
