"""Agents come, subscribe, handle, unsubscribe and go."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from loom.contract.metrics import agent as m
from loom.contract.metrics import agent_runtime as r
from loom.contract.metrics import event_bus as b
from loom.errors import ConfigurationError, LoomRuntimeError
from loom.runtime import Coordination, Event, Qos
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentRuntime, Outcome, Phase, ScriptedAgent
from loom.runtime.agent.options import Surroundings
from loom.runtime.envelope import Envelope
from loom.runtime.router import (
    Decision,
    Endpoint,
    FixedEstimator,
    Landscape,
    Model,
    Policy,
    Privacy,
    Reason,
    Route,
    Router,
)
from loom.telemetry.capture import Capture

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]


def outcomes(captured: Capture) -> dict[str, float]:
    """Outcome → events, over all types of agents; what never happened is left out."""
    counted: dict[str, float] = {}
    for (_, outcome), count in captured.values(m.EVENTS_PROCESSED).items():
        counted[outcome] = counted.get(outcome, 0) + count
    return {outcome: count for outcome, count in counted.items() if count}


def test_a_second_agent_with_the_same_id_is_refused_and_the_first_goes_on(
    enter: Enter, captured: Capture
) -> None:
    first = ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), first)
            with pytest.raises(LoomRuntimeError, match="planner"):
                runtime.create(AgentConfig("planner", topics=("task",)), ScriptedAgent())
            assert captured.value(r.AGENTS_ACTIVE) == 1
            await world.bus.publish("task", Event("chat"))
            await first.handled(1)

    asyncio.run(run())
    assert captured.value(r.AGENTS_CREATED) == captured.value(r.AGENTS_DELETED) == 1


def test_a_topic_that_is_listed_twice_is_subscribed_once(enter: Enter, captured: Capture) -> None:
    agent = ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task", "task", "agent.planner.replies")), agent)
            assert await world.bus.publish("task", Event("chat")) == 1
            await agent.handled(1)
            assert captured.total(b.ACTIVE_SUBSCRIPTIONS) == 2

    asyncio.run(run())
    assert captured.value(r.SUBSCRIPTIONS) == captured.value(r.UNSUBSCRIPTIONS) == 2
    assert captured.total(b.ACTIVE_SUBSCRIPTIONS) == 0


def test_an_agent_gets_what_is_sent_to_its_private_mailbox(enter: Enter) -> None:
    agent = ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner"), agent)
            await world.bus.publish("agent.planner.replies", Event("answer"))
            await agent.handled(1)

    asyncio.run(run())


def test_subscribing_and_unsubscribing_take_effect_and_misuse_is_refused(enter: Enter) -> None:
    agent = ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner"), agent)
            runtime.subscribe("planner", "task.*")
            await world.bus.publish("task.new", Event("chat"))
            await agent.handled(1)
            for agent_id, pattern in (("planner", "task.*"), ("nobody", "task"), ("planner", "a..b")):
                with pytest.raises(LoomRuntimeError):
                    runtime.subscribe(agent_id, pattern)
            for agent_id, pattern in (
                ("planner", "x"),
                ("nobody", "x"),
                ("planner", "agent.planner.replies"),
            ):
                with pytest.raises(LoomRuntimeError):
                    runtime.unsubscribe(agent_id, pattern)
            runtime.unsubscribe("planner", "task.*")
            assert await world.bus.publish("task.new", Event("chat")) == 0

    asyncio.run(run())


def test_unknown_agents_and_a_closed_runtime_are_refused(enter: Enter) -> None:
    async def run() -> None:
        async with enter() as (runtime, _):
            with pytest.raises(LoomRuntimeError):
                await runtime.delete("nobody")
        with pytest.raises(LoomRuntimeError):
            runtime.create(AgentConfig("planner"), ScriptedAgent())

    asyncio.run(run())


def test_an_agent_whose_subscription_fails_is_not_created_at_all(enter: Enter, captured: Capture) -> None:
    async def run() -> None:
        async with enter() as (runtime, world):
            await world.bus.close()
            with pytest.raises(LoomRuntimeError):
                runtime.create(AgentConfig("planner"), ScriptedAgent())
            assert runtime.agents() == []

    asyncio.run(run())
    assert captured.value(r.AGENTS_CREATED) == captured.value(r.SUBSCRIPTIONS) == 0


def test_an_agent_cannot_delete_itself_but_another_one(enter: Enter) -> None:
    async def run() -> None:
        async with enter() as (runtime, world):

            async def delete(event: Event, _: AgentContext) -> Sequence[Action]:
                await runtime.delete(event.type)
                return ()

            agent = ScriptedAgent(delete)
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            runtime.create(AgentConfig("writer"), ScriptedAgent())
            await world.bus.publish("task", Event("planner"))
            await world.bus.publish("task", Event("writer"))
            await agent.handled(2)
            assert [config.agent_id for config in runtime.agents()] == ["planner"]

    asyncio.run(run())


def test_replacing_an_agent_lets_the_old_one_finish_and_keeps_the_gauges_true(
    enter: Enter, captured: Capture
) -> None:
    old, new = ScriptedAgent(), ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            config = AgentConfig("planner", topics=("task",))
            await runtime.replace(config, old)
            await world.bus.publish("task", Event("first"))
            await runtime.replace(config, new)
            assert captured.value(r.AGENTS_ACTIVE) == 1
            await world.bus.publish("task", Event("second"))
            await new.handled(1)

    asyncio.run(run())
    assert ([event.type for event in old.events], [event.type for event in new.events]) == (
        ["first"],
        ["second"],
    )
    assert captured.value(r.AGENTS_ACTIVE) == 0
    assert captured.value(r.AGENTS_CREATED) == captured.value(r.AGENTS_DELETED) == 2


def test_a_hybrid_event_is_answered_quickly_and_then_refined(enter: Enter, captured: Capture) -> None:
    order: list[str] = []

    async def act(_: Event, context: AgentContext) -> Sequence[Action]:
        order.append(f"handle {context.phase}")
        return [Action("echo", context.phase.value, reply_to="out")]

    landscape = Landscape((Model("small"),), (Endpoint("big", latency=0.01, trusted=True),))
    router = Router(landscape, FixedEstimator(default=0.7), captured.telemetry)
    agent = ScriptedAgent(act)

    async def run() -> None:
        async with enter(router) as (runtime, world):
            out = world.bus.subscribe("out")
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            for _ in range(2):
                result = (await out.get(10)).event.payload
                order.append(f"result {result}")

    asyncio.run(run())
    assert [context.phase for context in agent.contexts] == [Phase.QUICK, Phase.REFINE]
    assert order.index("result quick") < order.index("result refine")
    assert outcomes(captured) == {"ok": 1}
    assert captured.value(m.ROUTING_DECISIONS, "agent", "Hybrid") == 1


def test_a_quick_answer_that_fails_does_not_prevent_the_better_one(enter: Enter, captured: Capture) -> None:
    async def act(_: Event, context: AgentContext) -> Sequence[Action]:
        if context.phase is Phase.QUICK:
            raise ValueError
        return ()

    landscape = Landscape((Model("small"),), (Endpoint("big", latency=0.01, trusted=True),))
    router = Router(landscape, FixedEstimator(default=0.7), captured.telemetry)
    agent = ScriptedAgent(act)

    async def run() -> None:
        async with enter(router) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            await agent.handled(2)

    asyncio.run(run())
    assert outcomes(captured) == {"error": 1}


def test_deferred_events_are_counted_and_handed_to_the_hook(enter: Enter, captured: Capture) -> None:
    deferred: list[tuple[str, str, Reason]] = []

    async def keep(agent_id: str, envelope: Envelope, decision: Decision) -> None:
        deferred.append((agent_id, envelope.event.type, decision.reason))

    router = Router(Landscape(), FixedEstimator(), captured.telemetry)
    agent = ScriptedAgent()

    async def run() -> None:
        async with enter(router, deferral=keep) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            assert await runtime.settle(10)

    asyncio.run(run())
    assert deferred == [("planner", "chat", Reason.NO_ENDPOINT)]
    assert outcomes(captured) == {"deferred": 1}
    assert agent.events == []


def test_dropped_events_are_counted_and_never_handled(enter: Enter, captured: Capture) -> None:
    router = Router(Landscape(), FixedEstimator(), captured.telemetry)
    agent = ScriptedAgent()

    async def run() -> None:
        async with enter(router) as (runtime, world):
            config = AgentConfig("planner", topics=("task",), parameters={"routing.privacy": "local-only"})
            runtime.create(config, agent)
            await world.bus.publish("task", Event("chat"))
            assert await runtime.settle(10)

    asyncio.run(run())
    assert outcomes(captured) == {"dropped": 1}
    assert captured.value(m.ROUTING_DECISIONS, "agent", "Drop") == 1
    assert agent.events == []


def test_an_agents_own_parameters_override_the_routers_policy(enter: Enter, captured: Capture) -> None:
    landscape = Landscape((Model("small"),), (Endpoint("big", latency=0.01),))
    policy = Policy(Privacy.PUBLIC, latency_budget=1.0)
    router = Router(landscape, FixedEstimator(default=0.2), captured.telemetry, policy)
    open_agent, strict = ScriptedAgent(), ScriptedAgent()

    async def run() -> None:
        async with enter(router) as (runtime, world):
            runtime.create(AgentConfig("open", topics=("task",)), open_agent)
            parameters = {"routing.privacy": "local-only"}
            runtime.create(AgentConfig("strict", topics=("task",), parameters=parameters), strict)
            await world.bus.publish("task", Event("chat"))
            await open_agent.handled(1)
            await strict.handled(1)

    asyncio.run(run())
    assert open_agent.contexts[0].decision.route is Route.CLOUD
    assert strict.contexts[0].decision.route is Route.LOCAL


def test_an_event_that_expires_while_it_waits_for_its_turn_is_counted_as_expired(
    enter: Enter, captured: Capture
) -> None:
    agent = ScriptedAgent()

    async def run() -> None:
        # The agent's clock is far ahead of the bus's: what the bus still delivers has expired for the agent.
        async with enter(now=lambda: 4e9) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            late = Coordination(expires_at=3.9e9)
            assert await world.bus.publish("task", Event("chat"), coordination=late) == 1
            assert await runtime.settle(10)

    asyncio.run(run())
    assert outcomes(captured) == {"expired": 1}
    assert captured.total(m.EVENT_LATENCY) == 1
    assert agent.events == []


def test_every_outcome_of_the_contract_is_counted_from_zero_for_each_type_of_agent(
    enter: Enter, captured: Capture
) -> None:
    async def run() -> None:
        async with enter() as (runtime, _):
            runtime.create(AgentConfig("planner", "thinker"), ScriptedAgent())

    asyncio.run(run())
    assert {key for key in captured.values(m.EVENTS_PROCESSED) if key[0] == "thinker"} == {
        ("thinker", outcome) for outcome in Outcome
    }
    assert not any("planner" in key for key in captured.values(m.EVENTS_PROCESSED))


def test_types_of_agents_past_the_budget_are_counted_together(enter: Enter, captured: Capture) -> None:
    agents = [ScriptedAgent() for _ in range(60)]

    async def run() -> None:
        async with enter() as (runtime, world):
            for number, agent in enumerate(agents):
                runtime.create(AgentConfig(f"a{number}", f"type-{number}", ("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            for agent in agents:
                await agent.handled(1)

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "type-49", "ok") == 1
    assert captured.value(m.EVENTS_PROCESSED, "other", "ok") == 10


@pytest.mark.parametrize("capacity", [0, 1])
def test_several_events_are_handled_at_a_time_when_the_configuration_says_so(
    enter: Enter, capacity: int
) -> None:
    async def run() -> None:
        together = asyncio.Barrier(3)

        async def meet(_: Event, __: AgentContext) -> Sequence[Action]:
            await together.wait()
            return ()

        async with enter() as (runtime, world), asyncio.timeout(20):
            agent = ScriptedAgent(meet)
            config = AgentConfig("planner", topics=("task",), concurrency=3, capacity=capacity)
            runtime.create(config, agent)
            await asyncio.gather(*(world.bus.publish("task", Event("chat")) for _ in range(3)))
            await agent.handled(3)

    asyncio.run(run())


def test_one_event_is_handled_at_a_time_and_in_order_by_default(enter: Enter) -> None:
    running: set[str] = set()
    together: list[int] = []

    async def yield_often(event: Event, _: AgentContext) -> Sequence[Action]:
        running.add(event.type)
        together.append(len(running))
        for _turn in range(3):
            await asyncio.sleep(0)
        running.discard(event.type)
        return ()

    agent = ScriptedAgent(yield_often)

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("a", "b")), agent)
            for number in range(10):
                await world.bus.publish("ab"[number % 2], Event(str(number)))
            await agent.handled(10)

    asyncio.run(run())
    assert together == [1] * 10
    for half in (0, 1):
        numbers = [int(event.type) for event in agent.events if int(event.type) % 2 == half]
        assert numbers == sorted(numbers)


def test_everything_that_is_wrong_with_a_configuration_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        AgentConfig(
            "a.b",
            "",
            topics=("ok", "not ok"),
            parameters={"routing.privacy": "secret"},
            qos=Qos.BATCHED,
            concurrency=0,
            handle_seconds=float("nan"),
        )
    assert [problem.path for problem in caught.value.problems] == [
        "$.agent_id",
        "$.agent_type",
        "$.topics[1]",
        "$.handle_seconds",
        "$.concurrency",
        "$.parameters.routing.privacy",
    ]
