"""Waiting until no agent has anything to do."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from loom.runtime import Coordination, Event
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentRuntime, ScriptedAgent
from loom.runtime.agent.options import Surroundings

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]
SECONDS = 20.0
"""More than any of these waits may take: a wait that ends at its own deadline has missed its moment."""


async def dawdle(_: Event, __: AgentContext) -> Sequence[Action]:
    await asyncio.sleep(0.01)
    return ()


def test_an_agent_that_is_created_meanwhile_is_waited_for_too(enter: Enter) -> None:
    late = ScriptedAgent(dawdle)

    async def run() -> None:
        async with enter() as (runtime, world), asyncio.timeout(SECONDS):

            async def create(_: Event, context: AgentContext) -> Sequence[Action]:
                await asyncio.sleep(0.01)
                runtime.create(AgentConfig("late", topics=("second",)), late)
                await context.publish("second", Event("chat"))
                return ()

            runtime.create(AgentConfig("early", topics=("first",)), ScriptedAgent(create))
            await world.bus.publish("first", Event("chat"))
            assert await runtime.settle(2 * SECONDS)
            assert late.ended == 1

    asyncio.run(run())


def test_any_number_may_wait_at_once(enter: Enter) -> None:
    async def run() -> None:
        async with enter() as (runtime, world), asyncio.timeout(SECONDS):
            runtime.create(AgentConfig("planner", topics=("task",)), ScriptedAgent(dawdle))
            for _ in range(2):
                await world.bus.publish("task", Event("chat"))
                assert not await runtime.settle(0)
                waits = (runtime.settle(2 * SECONDS) for _ in range(3))
                assert await asyncio.gather(*waits) == [True] * 3

    asyncio.run(run())


def test_an_event_that_expired_in_the_queue_is_not_something_to_do(
    enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, later = ScriptedAgent(dawdle), time.time() + 1000

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            soon = Coordination(expires_at=later)
            await world.bus.publish("task", Event("chat"))
            assert await world.bus.publish("task", Event("chat"), coordination=soon) == 1
            monkeypatch.setattr("loom.runtime.subscription.time", lambda: later + 1)
            assert await runtime.settle(0.2)
            assert agent.ended == 1

    asyncio.run(run())
