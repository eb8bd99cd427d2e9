"""Alerts on the router and on agents."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.metrics import agent, agent_runtime, event_bus, router
from loom.contract.promql import Queries, above, binary, both, scalar
from loom.contract.recording import FAILURES, LEVEL
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, counted, held
from loom.deploy.artifacts.rules.question import LEAST_CALLS, failing, of
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import STATED, Share
from loom.deploy.plan.model import Plan

VIOLATED, FAILED = 0.1, 0.1
"""Violations for each decision, and the share of an agent's events that may fail."""
_MINUTES = 60


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """In the order of the components."""
    return (_violations(plan), _down(plan), _agent(plan))


def _violations(plan: Plan) -> Alert:
    queries = Queries(plan.naming, window="10m")
    share = binary(queries.rate(router.POLICY_VIOLATIONS, LEVEL), "/", queries.rate(router.DECISIONS, LEVEL))
    enough = above(queries.increase(router.POLICY_VIOLATIONS, LEVEL), LEAST_CALLS)

    def decisions(violated: Course, fine: Course) -> tuple[Input, ...]:
        return (
            of(plan, router.POLICY_VIOLATIONS, violated, policy_type="cost_cap"),
            of(plan, router.DECISIONS, violated + fine, route="Cloud", reason="cloud_capable"),
        )

    return Alert(
        "LoomRouterPolicyViolations",
        both(above(share, VIOLATED), enough),
        "10m",
        Severity.WARNING,
        scopes.ROUTER,
        "No route satisfies the policies of {{ $labels.job }}",
        "There were {{ $value | humanizePercentage }} as many violated policies as decisions in ten minutes.",
        Share(VIOLATED, "10m", "10m", LEAST_CALLS, decisions, of_failed=True).proof(),
    )


def _down(plan: Plan) -> Alert:
    queries = Queries(plan.naming)
    none = binary(queries.value(agent_runtime.AGENTS_ACTIVE, LEVEL), "==", scalar(0))
    # A counter of this process: who never had an agent has none to miss.
    had = above(queries.value(agent_runtime.AGENTS_CREATED, LEVEL), 0)
    busy = above(queries.rate(event_bus.PUBLISHED, LEVEL), 0)
    return Alert(
        "LoomAgentsDown",
        both(none, had, busy),
        "5m",
        Severity.CRITICAL,
        scopes.AGENT_RUNTIME,
        "No agent of {{ $labels.job }} is left, and events keep coming",
        "It had agents and has {{ $value | humanize }} now, while events are still published.",
        Proof(
            (
                _agents(plan, "the only one goes, later the events too", held((1, 10), (0, 50)), 1, _TRICKLE),
                _agents(plan, "it never had one", held((0, _MINUTES)), 0, _TRICKLE),
                _agents(plan, "one is left", held((1, _MINUTES)), 2, _TRICKLE),
                _agents(plan, "no event comes", held((0, _MINUTES)), 2, counted((0, _MINUTES))),
            ),
            STATED,
        ),
    )


_TRICKLE = counted((0.5, 30), (0, 30))
"""An event every other minute, for half an hour."""


def _agents(plan: Plan, about: str, active: Course, created: int, published: Course) -> Scene:
    inputs = (
        of(plan, agent_runtime.AGENTS_ACTIVE, active),
        of(plan, agent_runtime.AGENTS_CREATED, held((created, _MINUTES))),
        of(plan, event_bus.PUBLISHED, published, topic="task.*", qos="batched"),
    )

    def truth(minute: int) -> bool:
        return active.at(minute) == 0 < created and published.increase(minute, 5) > 0

    kind = Kind.FIRES if any(truth(minute) for minute in range(_MINUTES)) else Kind.QUIET
    return play(kind, about, inputs, Stage(truth, 5, _MINUTES - 1), 20)


def _agent(plan: Plan) -> Alert:
    failure = next(one for one in FAILURES if one.metric is agent.EVENTS_PROCESSED)

    def events(failed: Course, fine: Course) -> tuple[Input, ...]:
        # Fine is whatever is no failure: as many of each.
        good = (
            of(
                plan,
                agent.EVENTS_PROCESSED,
                fine * (1 / len(failure.good)),
                agent_type="planner",
                outcome=outcome,
            )
            for outcome in failure.good
        )
        return (of(plan, agent.EVENTS_PROCESSED, failed, agent_type="planner", outcome="error"), *good)

    return Alert(
        "LoomAgentFailing",
        failing(plan, failure, FAILED, "10m", (a.AGENT_TYPE.label,)),
        "5m",
        Severity.WARNING,
        scopes.AGENT,
        "Agents of type {{ $labels.agent_type }} fail to handle events",
        "{{ $value | humanizePercentage }} of their events ended in an error in ten minutes.",
        Share(FAILED, "10m", "5m", LEAST_CALLS, events).proof(),
    )
