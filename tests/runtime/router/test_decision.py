"""The routing decision as a pure function."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.contract import attributes
from loom.runtime.router.decision import Decision, PolicyType, Question, Reason, Route, decide
from loom.runtime.router.landscape import Endpoint, Landscape, Model
from loom.runtime.router.policy import Policy, Privacy

TYPES = ("chat", "intent", "video_frame")
seconds = st.floats(0, 2)
shares = st.floats(0, 1)

models = st.builds(Model, st.sampled_from("abc"), st.frozensets(st.sampled_from(TYPES)), seconds)
endpoints = st.builds(
    Endpoint,
    st.sampled_from("xyz"),
    seconds,
    st.floats(0, 0.02),
    st.dictionaries(st.sampled_from(TYPES), st.floats(0, 0.02)),
    st.booleans(),
)
landscapes = st.builds(
    Landscape,
    st.lists(models, max_size=3).map(tuple),
    st.lists(endpoints, max_size=3).map(tuple),
)
policies = st.builds(Policy, st.sampled_from(Privacy), seconds, st.floats(0, 0.02), shares)
questions = st.builds(
    Question, st.sampled_from(TYPES), st.sampled_from(Privacy), st.none() | st.floats(-1, 2)
)


def broken(decision: Decision, policy: Policy) -> set[PolicyType]:
    """The violations that follow from the numbers of the decision alone."""
    found = set()
    if decision.route in {Route.LOCAL, Route.LOCAL_FALLBACK, Route.HYBRID, Route.CLOUD}:
        if decision.latency > policy.latency_budget:
            found.add(PolicyType.LATENCY_BUDGET)
        if decision.cost > policy.cost_cap:
            found.add(PolicyType.COST_CAP)
    if (
        decision.route in {Route.LOCAL, Route.LOCAL_FALLBACK}
        and decision.confidence < policy.quality_threshold
    ):
        found.add(PolicyType.QUALITY)
    return found


@given(questions, policies, landscapes)
def test_every_question_has_exactly_one_route_and_every_broken_limit_is_recorded(
    question: Question, policy: Policy, landscape: Landscape
) -> None:
    decision = decide(question, policy, landscape)
    assert isinstance(decision.route, Route)
    assert 0 <= decision.confidence <= 1
    assert broken(decision, policy) <= decision.violations
    assert bool(decision.endpoint) == decision.route.leaves
    assert decision == decide(question, policy, landscape)


@given(questions, policies, landscapes)
def test_what_privacy_keeps_here_never_leaves(
    question: Question, policy: Policy, landscape: Landscape
) -> None:
    decision = decide(question, policy, landscape)
    stricter = max(question.privacy, policy.privacy)
    if stricter >= Privacy.PRIVATE:
        assert not decision.route.leaves
    if stricter is Privacy.LOCAL_ONLY:
        assert decision.route in {Route.LOCAL, Route.DROP}
    if decision.route.leaves and stricter is Privacy.SENSITIVE:
        assert any(each.trusted and each.name == decision.endpoint for each in landscape.endpoints)


@given(questions, policies, landscapes)
def test_a_local_route_has_a_local_model(question: Question, policy: Policy, landscape: Landscape) -> None:
    decision = decide(question, policy, landscape)
    local = {Route.LOCAL, Route.LOCAL_FALLBACK, Route.HYBRID}
    if decision.route in local:
        assert landscape.model_for(question.event_type) is not None


MODEL = Model("small", latency=0.05)
CLOUD = Endpoint("big", latency=0.1, default_cost=0.001, trusted=True)
BOTH = Landscape((MODEL,), (CLOUD,))
EASY = Policy(latency_budget=1.0)


@pytest.mark.parametrize(
    ("question", "policy", "landscape", "route", "reason"),
    [
        (Question("chat", Privacy.PUBLIC, 0.9), EASY, BOTH, Route.LOCAL, Reason.LOCAL_CONFIDENT),
        (Question("chat", Privacy.PUBLIC, 0.6), EASY, BOTH, Route.HYBRID, Reason.HYBRID_REFINE),
        (Question("chat", Privacy.PUBLIC, 0.5), EASY, BOTH, Route.CLOUD, Reason.CLOUD_CAPABLE),
        (
            Question("chat", Privacy.PUBLIC, 0.5),
            Policy(latency_budget=0.06),
            BOTH,
            Route.LOCAL_FALLBACK,
            Reason.LATENCY_BUDGET,
        ),
        (
            Question("chat", Privacy.PUBLIC, 0.5),
            Policy(latency_budget=1, cost_cap=0.0001),
            BOTH,
            Route.LOCAL_FALLBACK,
            Reason.COST_CAP,
        ),
        (
            Question("chat", Privacy.PUBLIC, 0.2),
            EASY,
            Landscape((MODEL,)),
            Route.LOCAL_FALLBACK,
            Reason.NO_ENDPOINT,
        ),
        (Question("chat", Privacy.PUBLIC, None), EASY, BOTH, Route.LOCAL_FALLBACK, Reason.ESTIMATOR_FAILED),
        (Question("chat", Privacy.PUBLIC, None), EASY, Landscape(), Route.DEFER, Reason.NO_ENDPOINT),
        (Question("chat", Privacy.PRIVATE, 0.2), EASY, BOTH, Route.LOCAL_FALLBACK, Reason.PRIVACY_PRIVATE),
        (
            Question("chat", Privacy.PRIVATE, 0.9),
            EASY,
            Landscape((), (CLOUD,)),
            Route.DEFER,
            Reason.PRIVACY_PRIVATE,
        ),
        (Question("chat", Privacy.LOCAL_ONLY, 0.1), EASY, BOTH, Route.LOCAL, Reason.PRIVACY_LOCAL_ONLY),
        (
            Question("chat", Privacy.LOCAL_ONLY, 0.9),
            EASY,
            Landscape((), (CLOUD,)),
            Route.DROP,
            Reason.PRIVACY_NO_LOCAL_MODEL,
        ),
        (
            Question("chat", Privacy.SENSITIVE, 0.2),
            EASY,
            Landscape((), (Endpoint("open"),)),
            Route.DEFER,
            Reason.NO_ENDPOINT,
        ),
    ],
)
def test_each_rule_decides_its_case(
    question: Question, policy: Policy, landscape: Landscape, route: Route, reason: Reason
) -> None:
    decision = decide(question, policy, landscape)
    assert (decision.route, decision.reason) == (route, reason)


def test_the_policys_own_privacy_is_honoured_when_the_event_says_nothing_strict() -> None:
    strict = Policy(privacy=Privacy.LOCAL_ONLY, latency_budget=1)
    assert decide(Question("chat", Privacy.PUBLIC, 0.1), strict, BOTH).route is Route.LOCAL


def test_routes_reasons_and_policy_types_are_the_contracts() -> None:
    assert tuple(Route) == attributes.ROUTE.values
    assert set(Reason) == set(attributes.ROUTE_REASON.values)
    assert set(PolicyType) == set(attributes.POLICY_TYPE.values)
