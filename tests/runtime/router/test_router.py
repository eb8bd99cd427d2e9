"""The router with its estimator and its telemetry."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.contract import attributes as a
from loom.contract.metrics import router as m
from loom.contract.spans import router as spans
from loom.runtime.event import Event
from loom.runtime.router import (
    Endpoint,
    Estimator,
    FixedEstimator,
    Landscape,
    Model,
    Policy,
    PolicyType,
    Privacy,
    Reason,
    Route,
    Router,
)
from loom.telemetry import Telemetry
from loom.telemetry.capture import Capture, capture

LOCAL = Model("small", latency=0.05)
CLOUD = Endpoint("big", latency=0.1, trusted=True)
BOTH = Landscape((LOCAL,), (CLOUD,))
OPEN = Policy(Privacy.PUBLIC, latency_budget=1.0)


@pytest.fixture
def captured() -> Iterator[Capture]:
    with capture() as captured:
        yield captured


class Function:
    """An estimator that is a function."""

    def __init__(self, answer: object) -> None:
        """What it says, calls or raises."""
        self.answer = answer

    def supports(self, event_type: str) -> bool:
        return event_type != "unknown"

    def estimate(self, event: Event) -> float | Awaitable[float]:
        del event
        if isinstance(self.answer, BaseException):
            raise self.answer
        return cast("float", self.answer() if callable(self.answer) else self.answer)


def decide(
    estimator: Estimator, event: Event, landscape: Landscape = BOTH, policy: Policy = OPEN
) -> tuple[Route, Reason, frozenset[PolicyType]]:
    router = Router(landscape, estimator, Telemetry.disabled(), policy, patience=0.01)
    decision = asyncio.run(router.route(event))
    return decision.route, decision.reason, decision.violations


async def never() -> float:
    future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    return await future


async def cancels_itself() -> float:
    raise asyncio.CancelledError


async def fails() -> float:
    message = "down"
    raise OSError(message)


@pytest.mark.parametrize(
    "answer",
    [ValueError("down"), never, fails, cancels_itself, float("nan"), "high", None],
    ids=["raises", "hangs", "fails_later", "cancels_itself", "nan", "text", "none"],
)
def test_an_estimator_that_fails_costs_the_estimate_never_the_decision(answer: object) -> None:
    assert decide(Function(answer), Event("chat")) == (
        Route.LOCAL_FALLBACK,
        Reason.ESTIMATOR_FAILED,
        frozenset({PolicyType.QUALITY}),
    )


async def later() -> float:
    await asyncio.sleep(0)
    return 0.95


@pytest.mark.parametrize("answer", [0.95, 1, later])
def test_an_estimate_may_be_a_number_or_awaited(answer: object) -> None:
    assert decide(Function(answer), Event("chat"))[:2] == (Route.LOCAL, Reason.LOCAL_CONFIDENT)


def test_an_event_type_that_the_estimator_does_not_support_has_no_confidence() -> None:
    assert decide(Function(0.95), Event("unknown"))[0] is Route.CLOUD


def test_cancelling_the_caller_is_no_failure_of_the_estimator() -> None:
    async def cancel() -> None:
        asked = asyncio.Event()

        async def estimate() -> float:
            asked.set()
            return await never()

        router = Router(BOTH, Function(estimate), Telemetry.disabled(), patience=60)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(router.route(Event("chat")))
            await asked.wait()
            task.cancel()
        assert task.cancelled()

    asyncio.run(cancel())


def test_a_decision_that_was_cut_short_is_a_span_with_every_attribute_and_not_counted(
    captured: Capture,
) -> None:
    async def cancel() -> None:
        asked = asyncio.Event()

        async def estimate() -> float:
            asked.set()
            return await never()

        router = Router(BOTH, Function(estimate), captured.telemetry, patience=60)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(router.route(Event("chat", id="e")))
            await asked.wait()
            task.cancel()

    asyncio.run(cancel())
    (span,) = captured.spans(spans.ROUTE)
    assert dict(span.attributes or {}) == {
        a.EVENT_ID.name: "e",
        a.ROUTE.name: "Drop",
        a.ROUTE_REASON.name: "estimator_failed",
        a.CONFIDENCE.name: 0.0,
        a.ESTIMATED_LATENCY.name: 0.0,
        a.ESTIMATED_COST.name: 0.0,
        a.ERROR_TYPE.name: "CancelledError",
    }
    assert captured.total(m.DECISIONS) == 0


@pytest.mark.parametrize("marked", ["secret", "LOCAL-ONLY", "", 3, ["public"]])
def test_a_malformed_privacy_is_the_strictest_and_counted_as_a_violation(marked: object) -> None:
    event = Event("chat", metadata={"privacy": marked})  # type: ignore[dict-item]  # what foreign code may send
    route, _, violations = decide(FixedEstimator(default=0.2), event)
    assert route is Route.LOCAL
    assert PolicyType.PRIVACY in violations
    assert decide(FixedEstimator(), event, Landscape((), (CLOUD,)))[0] is Route.DROP


def test_an_event_that_says_nothing_about_privacy_leaves_it_to_the_policy() -> None:
    unsure = FixedEstimator(default=0.2)
    untrusted = Landscape((LOCAL,), (Endpoint("open", latency=0.1),))
    assert decide(unsure, Event("chat"), untrusted, OPEN)[0] is Route.CLOUD
    assert decide(unsure, Event("chat"), untrusted, Policy(latency_budget=1.0))[0] is Route.LOCAL_FALLBACK


@given(st.sampled_from(Privacy), st.sampled_from(Privacy), st.floats(0, 1))
def test_the_stricter_of_event_and_policy_wins(event: Privacy, policy: Privacy, confidence: float) -> None:
    route, _, _ = decide(
        FixedEstimator(default=confidence),
        Event("chat", metadata={"privacy": event.text}),
        policy=Policy(policy, latency_budget=1.0),
    )
    if max(event, policy) >= Privacy.PRIVATE:
        assert not route.leaves


CASES: dict[Reason, tuple[Estimator, Event, Landscape, Policy]] = {
    Reason.PRIVACY_LOCAL_ONLY: (FixedEstimator(), Event("chat"), BOTH, Policy(Privacy.LOCAL_ONLY)),
    Reason.PRIVACY_NO_LOCAL_MODEL: (FixedEstimator(), Event("chat"), Landscape(), Policy(Privacy.LOCAL_ONLY)),
    Reason.PRIVACY_PRIVATE: (FixedEstimator(), Event("chat"), Landscape(), Policy(Privacy.PRIVATE)),
    Reason.LOCAL_CONFIDENT: (FixedEstimator(), Event("chat"), BOTH, OPEN),
    Reason.LATENCY_BUDGET: (FixedEstimator(default=0.2), Event("chat"), BOTH, Policy(latency_budget=0.01)),
    Reason.COST_CAP: (FixedEstimator(default=0.2), Event("chat"), BOTH, Policy(cost_cap=0.0)),
    Reason.HYBRID_REFINE: (FixedEstimator(default=0.7), Event("chat"), BOTH, OPEN),
    Reason.CLOUD_CAPABLE: (FixedEstimator(default=0.2), Event("chat"), BOTH, OPEN),
    Reason.NO_ENDPOINT: (FixedEstimator(default=0.2), Event("chat"), Landscape((LOCAL,)), OPEN),
    Reason.ESTIMATOR_FAILED: (Function(None), Event("chat"), BOTH, OPEN),
}


def test_every_route_reason_and_violation_of_the_contract_is_recorded(captured: Capture) -> None:
    async def run() -> None:
        for estimator, event, landscape, policy in CASES.values():
            router = Router(landscape, estimator, captured.telemetry)
            await router.route(event, policy)

    asyncio.run(run())
    assert set(CASES) == set(Reason)
    decided = {key: count for key, count in captured.values(m.DECISIONS).items() if count}
    assert {route for route, _ in decided} == set(Route)
    assert {reason for _, reason in decided} == set(Reason)
    assert sum(decided.values()) == len(CASES)
    assert all(captured.value(m.POLICY_VIOLATIONS, policy_type) > 0 for policy_type in PolicyType)
    for histogram in (m.CONFIDENCE, m.ESTIMATED_LATENCY, m.ESTIMATED_COST):
        assert captured.total(histogram) == len(CASES)


def test_the_estimates_are_recorded_in_the_contracts_units(captured: Capture) -> None:
    router = Router(BOTH, FixedEstimator(default=0.7), captured.telemetry)
    decision = asyncio.run(router.route(Event("chat"), OPEN))
    sums = [
        getattr(captured.points(histogram)[("Hybrid",)], "sum", None)
        for histogram in (m.CONFIDENCE, m.ESTIMATED_LATENCY, m.ESTIMATED_COST)
    ]
    assert sums == [pytest.approx(value) for value in (0.7, decision.latency, decision.cost)]


def test_a_decision_is_a_span_that_says_what_and_why_and_ends_ok(captured: Capture) -> None:
    router = Router(BOTH, FixedEstimator(default=0.7), captured.telemetry)
    event = Event("chat", payload="secret", metadata={"token": "secret"})
    asyncio.run(router.route(event, OPEN))
    (span,) = captured.spans(spans.ROUTE)
    assert dict(span.attributes or {}) == {
        a.EVENT_ID.name: event.id,
        a.ROUTE.name: "Hybrid",
        a.ROUTE_REASON.name: "hybrid_refine",
        a.CONFIDENCE.name: 0.7,
        a.ESTIMATED_LATENCY.name: pytest.approx(0.15),
        a.ESTIMATED_COST.name: 0.001,
    }
    assert span.status.is_ok


def test_what_the_estimator_raised_is_on_the_span_of_the_decision(captured: Capture) -> None:
    asyncio.run(Router(BOTH, Function(ValueError("down")), captured.telemetry).route(Event("chat")))
    (span,) = captured.spans(spans.ROUTE)
    assert [event.name for event in span.events] == ["exception"]


def test_memory_stays_flat_however_many_different_decisions_there_are() -> None:
    async def run() -> int:
        router = Router(BOTH, FixedEstimator(), Telemetry.disabled())
        for number in range(10_000):
            await router.route(Event(f"type-{number}"), Policy(cost_cap=number))
        return len(router._verdicts)

    assert asyncio.run(run()) <= 4096


def test_two_policies_never_share_a_decision() -> None:
    async def run() -> list[Route]:
        router = Router(BOTH, FixedEstimator(default=0.2), Telemetry.disabled())
        return [
            (await router.route(Event("chat"), Policy(latency_budget=1.0, cost_cap=cap))).route
            for cap in (1.0, 0.0) * 200
        ]

    assert asyncio.run(run()) == [Route.CLOUD, Route.LOCAL_FALLBACK] * 200
