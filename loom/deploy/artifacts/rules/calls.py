"""Alerts on the action broker."""

from functools import partial

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.metrics import action_broker
from loom.contract.promql import Queries, above, binary, both
from loom.contract.recording import INVOCATIONS, LEVEL
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, counted
from loom.deploy.artifacts.rules.question import LEAST_CALLS, failing, occurred, of, where
from loom.deploy.artifacts.rules.scene import Input
from loom.deploy.artifacts.rules.staging import Growth, Share
from loom.deploy.plan.model import Plan

FAILED, LATE = 0.25, 0.05
"""Shares of a capability's invocations that may fail, and that may run over their deadline."""
UNKNOWN = 5
"""Invocations that may find no provider: one that is being replaced is away for a moment."""


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """Failing, late, asked for in vain."""
    return (_capability(plan), _timeouts(plan), _not_found(plan))


def _capability(plan: Plan) -> Alert:
    def calls(failed: Course, fine: Course) -> tuple[Input, ...]:
        return (
            of(plan, action_broker.INVOCATIONS, failed, capability="search", status="error"),
            of(plan, action_broker.INVOCATIONS, fine, capability="search", status="ok"),
        )

    return Alert(
        "LoomCapabilityFailing",
        failing(plan, INVOCATIONS, FAILED, "10m", (a.CAPABILITY.label,)),
        "5m",
        Severity.WARNING,
        scopes.ACTION_BROKER,
        "Capability {{ $labels.capability }} fails",
        "{{ $value | humanizePercentage }} of its invocations failed in ten minutes.",
        Share(FAILED, "10m", "5m", LEAST_CALLS, calls).proof(),
    )


def _timeouts(plan: Plan) -> Alert:
    by, queries = (*LEVEL, a.CAPABILITY.label), Queries(plan.naming, window="10m")
    share = binary(queries.rate(action_broker.TIMEOUTS, by), "/", queries.rate(action_broker.INVOCATIONS, by))
    enough = above(queries.increase(action_broker.TIMEOUTS, by), LEAST_CALLS)

    def calls(late: Course, fine: Course) -> tuple[Input, ...]:
        return (
            of(plan, action_broker.TIMEOUTS, late, capability="search"),
            of(plan, action_broker.INVOCATIONS, late + fine, capability="search", status="ok"),
        )

    return Alert(
        "LoomInvocationTimeouts",
        both(above(share, LATE), enough),
        "5m",
        Severity.WARNING,
        scopes.ACTION_BROKER,
        "Capability {{ $labels.capability }} runs over its deadline",
        "{{ $value | humanizePercentage }} of its invocations timed out in ten minutes.",
        Share(LATE, "10m", "5m", LEAST_CALLS, calls, of_failed=True).proof(),
    )


def _not_found(plan: Plan) -> Alert:
    missing = where(a.CALL_STATUS, "not_found")
    inputs = partial(_unknown, plan)
    return Alert(
        "LoomCapabilityNotFound",
        above(occurred(plan, action_broker.INVOCATIONS, "15m", (a.CAPABILITY.label,), missing), UNKNOWN),
        "0m",
        Severity.WARNING,
        scopes.ACTION_BROKER,
        "Capability {{ $labels.capability }} is asked for and not registered",
        "{{ $value | humanize }} invocations in fifteen minutes found no provider.",
        Growth(UNKNOWN, "15m", "0m", inputs, born=True).proof(),
    )


def _unknown(plan: Plan, course: Course) -> tuple[Input, ...]:
    """Calls that found nothing, and many that did: while a capability is away for a moment."""
    found = counted((60, len(course) - 1))
    return (
        of(plan, action_broker.INVOCATIONS, course, capability="serach", status="not_found"),
        of(plan, action_broker.INVOCATIONS, found, capability="serach", status="ok"),
    )
