"""A handler that raises, hangs or floods harms nobody else."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress

import pytest

from loom.contract.metrics import agent as m
from loom.runtime import Event, Qos
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentRuntime, ScriptedAgent
from loom.runtime.agent.options import Surroundings
from loom.telemetry.capture import Capture

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]
Script = Callable[[Event, AgentContext], object]


async def raises(_: Event, __: AgentContext) -> Sequence[Action]:
    message = "broken"
    raise ValueError(message)


async def raises_a_group(_: Event, __: AgentContext) -> Sequence[Action]:
    async with asyncio.TaskGroup() as group:
        group.create_task(raises(_, __))
    return ()


async def raises_outside_of_exception(_: Event, __: AgentContext) -> Sequence[Action]:
    raise GeneratorExit


async def awaits_something_cancelled(_: Event, __: AgentContext) -> Sequence[Action]:
    future: asyncio.Future[Sequence[Action]] = asyncio.get_running_loop().create_future()
    future.cancel()
    return await future


async def hangs(_: Event, __: AgentContext) -> Sequence[Action]:
    future: asyncio.Future[Sequence[Action]] = asyncio.get_running_loop().create_future()
    return await future


async def swallows_its_cancellation(_: Event, __: AgentContext) -> Sequence[Action]:
    with suppress(asyncio.CancelledError):
        await asyncio.get_running_loop().create_future()
    return ()


async def resists_cancellation_twice(_: Event, __: AgentContext) -> Sequence[Action]:
    for _turn in range(3):
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            continue
    return ()


async def returns_what_is_no_action(_: Event, __: AgentContext) -> Sequence[Action]:
    return ["echo"]  # type: ignore[list-item]  # wrong on purpose


async def returns_a_flood(_: Event, __: AgentContext) -> Sequence[Action]:
    return [Action("echo")] * 100_000


@pytest.mark.parametrize(
    "bad",
    [
        raises,
        raises_a_group,
        raises_outside_of_exception,
        awaits_something_cancelled,
        hangs,
        swallows_its_cancellation,
        resists_cancellation_twice,
        returns_what_is_no_action,
        returns_a_flood,
    ],
)
def test_a_handler_that_fails_costs_its_event_and_neither_its_agent_nor_a_neighbour(
    enter: Enter, captured: Capture, bad: Callable[[Event, AgentContext], object]
) -> None:
    async def act(event: Event, context: AgentContext) -> Sequence[Action]:
        if event.type == "bad":
            return await bad(event, context)  # type: ignore[misc, no-any-return]  # any of the handlers above
        return ()

    agent, neighbour = ScriptedAgent(act), ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            config = AgentConfig("bad", "bad", topics=("task",), handle_seconds=0.02)
            runtime.create(config, agent)
            runtime.create(AgentConfig("neighbour", "good", topics=("task",)), neighbour)
            for kind in ("bad", "good", "bad", "good"):
                await world.bus.publish("task", Event(kind))
            await neighbour.handled(4)
            await agent.handled(4)

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "bad", "error") == 2
    assert captured.value(m.EVENTS_PROCESSED, "bad", "ok") == 2
    assert captured.value(m.EVENTS_PROCESSED, "good", "ok") == 4
    assert captured.total(m.EVENT_LATENCY) == 8


def test_neighbours_go_on_while_a_handler_hangs(enter: Enter) -> None:
    hanging, neighbour = ScriptedAgent(hangs), ScriptedAgent()

    async def run() -> None:
        async with enter(drain=0.0) as (runtime, world):
            runtime.create(AgentConfig("hanging", topics=("task",)), hanging)
            runtime.create(AgentConfig("neighbour", topics=("task",)), neighbour)
            for _ in range(100):
                await world.bus.publish("task", Event("chat"))
            await neighbour.handled(100)
            assert hanging.ended == 0

    asyncio.run(run())


def test_an_agent_that_always_has_more_to_do_lets_its_neighbours_have_their_turn(enter: Enter) -> None:
    first: list[str] = []

    async def note(_: Event, context: AgentContext) -> Sequence[Action]:
        first.append(context.agent_id)
        return ()

    busy, neighbour = ScriptedAgent(note), ScriptedAgent(note)

    async def run() -> None:
        async with enter(slice=0.0) as (runtime, world):
            runtime.create(AgentConfig("busy", topics=("flood",)), busy)
            runtime.create(AgentConfig("neighbour", topics=("task",)), neighbour)
            for _ in range(1000):
                await world.bus.publish("flood", Event("chat"))
            await world.bus.publish("task", Event("chat"))
            await busy.handled(1000)

    asyncio.run(run())
    assert first.index("neighbour") < 100


def test_a_flood_of_realtime_events_is_shed_at_the_agents_own_queue(enter: Enter, captured: Capture) -> None:
    release = asyncio.Event()

    async def wait(_: Event, __: AgentContext) -> Sequence[Action]:
        await release.wait()
        return ()

    slow, neighbour = ScriptedAgent(wait), ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("slow", "slow", topics=("task",), capacity=10), slow)
            runtime.create(AgentConfig("neighbour", "good", topics=("task",)), neighbour)
            for _ in range(500):
                await world.bus.publish("task", Event("chat"), Qos.REALTIME)
            await neighbour.handled(500)
            release.set()
            await slow.handled(10)

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "good", "ok") == 500
    assert 10 <= captured.value(m.EVENTS_PROCESSED, "slow", "ok") <= 11


def test_a_deadline_holds_for_each_event_and_not_for_all_of_them_together(
    enter: Enter, captured: Capture
) -> None:
    async def act(_: Event, __: AgentContext) -> Sequence[Action]:
        await asyncio.sleep(0.1)
        return ()

    agent = ScriptedAgent(act)

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",), handle_seconds=5.0), agent)
            for _ in range(60):
                await world.bus.publish("task", Event("chat"))
            await agent.handled(60)

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "agent", "ok") == 60
