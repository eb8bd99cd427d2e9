"""Leaving the runtime: what is queued is handled within the deadline, what is left is counted."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from loom.contract.metrics import agent as m
from loom.contract.metrics import agent_runtime as r
from loom.contract.metrics import event_bus as b
from loom.contract.spans import agent as spans
from loom.runtime import Event
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentRuntime, ScriptedAgent
from loom.runtime.agent.options import Surroundings
from loom.telemetry.capture import Capture

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]


async def hangs(_: Event, __: AgentContext) -> Sequence[Action]:
    future: asyncio.Future[Sequence[Action]] = asyncio.get_running_loop().create_future()
    return await future


def test_what_is_queued_at_shutdown_is_handled_and_what_it_leads_to_as_well(
    enter: Enter, captured: Capture
) -> None:
    async def forward(event: Event, context: AgentContext) -> Sequence[Action]:
        await asyncio.sleep(0)
        await context.publish("second", Event(event.type))
        return ()

    first, second = ScriptedAgent(forward), ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("first", topics=("first",)), first)
            runtime.create(AgentConfig("second", topics=("second",)), second)
            for _ in range(50):
                await world.bus.publish("first", Event("chat"))

    asyncio.run(run())
    assert (first.ended, second.ended) == (50, 50)
    assert captured.total(b.DROPPED) == 0


def test_after_the_deadline_what_is_left_is_dropped_as_closed_and_nothing_stays_behind(
    enter: Enter, captured: Capture
) -> None:
    agent = ScriptedAgent(hangs)

    async def run() -> None:
        async with enter(drain=0.02) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for _ in range(10):
                await world.bus.publish("task", Event("chat"))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "agent", "dropped") == 1
    assert captured.value(b.DROPPED, "task", "closed") == 9
    assert captured.value(b.DELIVERED, "task") == 10
    (span,) = captured.spans(spans.RUN)
    assert not span.status.is_ok
    for gauge in (r.AGENTS_ACTIVE, b.ACTIVE_SUBSCRIPTIONS, b.BACKLOG):
        assert captured.total(gauge) == 0


def test_events_that_were_taken_but_whose_turn_never_came_are_counted_as_dropped(
    enter: Enter, captured: Capture
) -> None:
    agent = ScriptedAgent(hangs)

    async def run() -> None:
        async with enter(drain=0.02) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("a", "b", "c")), agent)
            for topic in "abc":
                await world.bus.publish(topic, Event("chat"))

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "agent", "dropped") == 3
    assert len(captured.spans(spans.RUN)) == 3


def test_deleting_an_agent_lets_it_finish_what_it_has(enter: Enter, captured: Capture) -> None:
    agent = ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for _ in range(20):
                await world.bus.publish("task", Event("chat"))
            await runtime.delete("planner")
            assert agent.ended == 20
            assert await world.bus.publish("task", Event("chat")) == 0

    asyncio.run(run())
    assert captured.total(b.DROPPED) == captured.value(b.DROPPED, "task", "no_subscriber") == 1


@pytest.mark.parametrize("ready", [True, False], ids=["waits already", "was just created"])
def test_an_agent_that_has_handled_nothing_yet_handles_everything_before_it_is_deleted(
    enter: Enter, captured: Capture, *, ready: bool
) -> None:
    async def slow(_: Event, __: AgentContext) -> Sequence[Action]:
        for _turn in range(20):
            await asyncio.sleep(0)
        return ()

    agent = ScriptedAgent(slow)

    async def run() -> None:
        async with enter(drain=60.0) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for _turn in range(20 if ready else 0):
                await asyncio.sleep(0)
            for _ in range(5):
                await world.bus.publish("task", Event("chat"))
            await runtime.delete("planner")

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "agent", "ok") == 5
    assert captured.total(b.DROPPED) == 0


def test_a_deletion_that_is_cancelled_still_deletes(enter: Enter, captured: Capture) -> None:
    async def run() -> None:
        begun = asyncio.Event()

        async def begin(event: Event, context: AgentContext) -> Sequence[Action]:
            begun.set()
            return await hangs(event, context)

        agent = ScriptedAgent(begin)
        async with enter(drain=60.0) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            async with asyncio.TaskGroup() as group:
                deletion = group.create_task(runtime.delete("planner"))
                await begun.wait()
                await asyncio.sleep(0)
                assert runtime.agents() == []
                deletion.cancel()
            assert captured.value(r.AGENTS_ACTIVE) == 0

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "agent", "dropped") == 1
    assert captured.value(r.AGENTS_DELETED) == 1


@pytest.mark.parametrize("by", ["shutdown", "deletion", "a signal"])
def test_a_handler_that_cannot_be_stopped_is_left_behind(
    enter: Enter, captured: Capture, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    released = False
    begun: asyncio.Future[None]

    async def resist(_: Event, __: AgentContext) -> Sequence[Action]:
        begun.set_result(None)
        while not released:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                continue
        return ()

    async def work() -> None:
        async with enter(drain=0.02 if by != "a signal" else 60.0) as (runtime, world):
            runtime.create(
                AgentConfig("planner", topics=("task",), setup_seconds=0.02), ScriptedAgent(resist)
            )
            await world.bus.publish("task", Event("chat"))
            await begun
            if by == "deletion":
                await runtime.delete("planner")

    async def run() -> None:
        nonlocal begun, released
        begun = asyncio.get_running_loop().create_future()
        leaving = asyncio.create_task(work())
        try:
            if by == "a signal":
                await begun
                await asyncio.sleep(0)
                leaving.cancel()
            done, _ = await asyncio.wait({leaving}, timeout=10)
            assert done
            assert leaving.cancelled() is (by == "a signal")
            (left,) = asyncio.all_tasks() - {asyncio.current_task()}
            assert left.get_name() == "agent planner"
        finally:
            released = True
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    asyncio.run(run())
    assert "agent planner resists being stopped" in caplog.text
    for gauge in (r.AGENTS_ACTIVE, b.ACTIVE_SUBSCRIPTIONS, b.BACKLOG):
        assert captured.total(gauge) == 0


class Disaster(BaseException):
    """Nothing that anybody catches."""


class Doomed(ScriptedAgent):
    """Its setup goes wrong in a way that is no crash."""

    async def setup(self) -> None:
        """Fail."""
        raise Disaster


def test_a_task_that_fails_ends_the_block_with_its_error(enter: Enter, captured: Capture) -> None:
    async def run() -> None:
        async with asyncio.timeout(10), enter(drain=0.02) as (runtime, _):
            runtime.create(AgentConfig("neighbour"), ScriptedAgent())
            runtime.create(AgentConfig("planner"), Doomed())
            await asyncio.get_running_loop().create_future()

    with pytest.raises(BaseExceptionGroup) as caught:
        asyncio.run(run())
    assert caught.group_contains(Disaster)
    assert captured.total(r.AGENTS_ACTIVE) == 0


def test_a_second_task_that_fails_is_logged(enter: Enter, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        async with asyncio.timeout(10), enter(drain=0.02) as (runtime, _):
            for name in "ab":
                runtime.create(AgentConfig(name), Doomed())
            await asyncio.get_running_loop().create_future()

    with pytest.raises(BaseExceptionGroup):
        asyncio.run(run())
    assert "agent b failed" in caplog.text


def test_an_error_of_the_program_leaves_through_the_runtime_unchanged_and_the_agents_are_gone(
    enter: Enter, captured: Capture
) -> None:
    async def run() -> None:
        async with enter() as (runtime, _):
            runtime.create(AgentConfig("planner"), ScriptedAgent())
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(run())
    assert captured.value(r.AGENTS_ACTIVE) == 0


def test_a_bus_that_is_closed_first_costs_events_and_hangs_nobody(enter: Enter, captured: Capture) -> None:
    agent = ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            await world.bus.close()
            await runtime.delete("planner")

    asyncio.run(run())
    assert agent.ended == 1
    assert captured.value(r.AGENTS_DELETED) == 1


def test_agents_that_delete_one_another_do_not_wait_forever(enter: Enter, captured: Capture) -> None:
    async def run() -> None:
        async with enter(drain=0.02) as (runtime, world):

            async def delete(_: Event, context: AgentContext) -> Sequence[Action]:
                await runtime.delete("b" if context.agent_id == "a" else "a")
                return ()

            for name in "ab":
                runtime.create(AgentConfig(name, topics=("task",)), ScriptedAgent(delete))
            await world.bus.publish("task", Event("chat"))
            assert await runtime.settle(10)

    asyncio.run(run())
    assert captured.value(r.AGENTS_CREATED) == captured.value(r.AGENTS_DELETED) == 2
    assert captured.value(r.AGENTS_ACTIVE) == 0
