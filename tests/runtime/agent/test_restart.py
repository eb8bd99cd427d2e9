"""Agents crash, are set up again, and are buried when that happens too often."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.contract.metrics import agent as m
from loom.contract.metrics import agent_runtime as r
from loom.contract.metrics import event_bus as b
from loom.runtime import Event
from loom.runtime.agent import (
    Action,
    AgentConfig,
    AgentContext,
    AgentRuntime,
    Crash,
    RestartPolicy,
    ScriptedAgent,
)
from loom.runtime.agent.options import Surroundings
from loom.runtime.agent.restart import Restarts
from loom.telemetry.capture import Capture

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]


async def crash_when_asked(event: Event, _: AgentContext) -> Sequence[Action]:
    if event.type == "crash":
        raise Crash
    if event.type == "bad":
        raise ValueError
    return ()


class Crashing(ScriptedAgent):
    """Remembers its lives; its setup fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        """`failures` of the first setups fail."""
        super().__init__(crash_when_asked)
        self.lives: list[str] = []
        self.failures = failures

    async def setup(self) -> None:
        """Prepare, or fail."""
        self.lives.append("setup")
        if self.failures:
            self.failures -= 1
            raise OSError

    async def teardown(self) -> None:
        """Clean up; that this fails as well must not matter."""
        self.lives.append("teardown")
        raise ValueError


def test_an_agent_that_crashes_is_torn_down_paused_set_up_and_loses_no_queued_event(
    enter: Enter, captured: Capture
) -> None:
    agent = Crashing()
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        agent.lives.append("pause")

    async def run() -> None:
        async with enter(pause=pause, restart=RestartPolicy(first=7.0)) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for kind in ("crash", "a", "b"):
                await world.bus.publish("task", Event(kind))
            await agent.handled(3)
            assert captured.value(r.AGENTS_ACTIVE) == 1

    asyncio.run(run())
    assert pauses == [7.0]
    assert agent.lives == ["setup", "teardown", "pause", "setup", "teardown"]
    assert [event.type for event in agent.events] == ["crash", "a", "b"]
    assert captured.value(m.EVENTS_PROCESSED, "agent", "error") == 1
    assert captured.value(m.EVENTS_PROCESSED, "agent", "ok") == 2


def test_an_agent_whose_setup_fails_is_tried_again_and_its_events_wait(enter: Enter) -> None:
    agent = Crashing(failures=3)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        assert agent.events == []

    async def run() -> None:
        async with enter(pause=pause, restart=RestartPolicy(first=1.0, longest=3.0)) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("a"))
            await agent.handled(1)

    asyncio.run(run())
    assert pauses == [1.0, 2.0, 3.0]
    assert agent.lives == ["setup"] * 4 + ["teardown"]


def test_a_setup_that_hangs_is_a_crash(enter: Enter) -> None:
    class Hanging(ScriptedAgent):
        tries = 0

        async def setup(self) -> None:
            """Hang the first time."""
            self.tries += 1
            if self.tries == 1:
                await asyncio.get_running_loop().create_future()

    async def pause(_: float) -> None:
        pass

    agent = Hanging()

    async def run() -> None:
        async with enter(pause=pause) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",), setup_seconds=0.02), agent)
            await world.bus.publish("task", Event("a"))
            await agent.handled(1)

    asyncio.run(run())
    assert agent.tries == 2


def test_an_agent_that_crashes_too_often_is_deleted_and_what_it_had_is_dropped_as_closed(
    enter: Enter, captured: Capture
) -> None:
    agent = Crashing()

    async def pause(_: float) -> None:
        pass

    async def run() -> None:
        async with enter(pause=pause, restart=RestartPolicy(limit=2)) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for kind in ("crash", "crash", "crash", "a", "b"):
                await world.bus.publish("task", Event(kind))
            assert await runtime.settle(10)
            assert runtime.agents() == []
            assert captured.value(r.AGENTS_ACTIVE) == 0
            assert captured.total(b.ACTIVE_SUBSCRIPTIONS) == 0
            runtime.create(AgentConfig("planner"), ScriptedAgent())

    asyncio.run(run())
    assert captured.value(m.EVENTS_PROCESSED, "agent", "error") == 3
    # One of the two that were left had been taken and waited for its turn; the other was still queued.
    left = captured.value(m.EVENTS_PROCESSED, "agent", "dropped") + captured.value(
        b.DROPPED, "task", "closed"
    )
    assert left == 2
    assert captured.value(r.AGENTS_CREATED) == captured.value(r.AGENTS_DELETED) == 2
    assert captured.value(r.SUBSCRIPTIONS) == captured.value(r.UNSUBSCRIPTIONS) == 3


def test_failed_events_in_a_row_are_a_crash_where_the_configuration_says_so(enter: Enter) -> None:
    agent = Crashing()

    async def pause(_: float) -> None:
        agent.lives.append("pause")

    async def run() -> None:
        async with enter(pause=pause) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",), max_failures=2), agent)
            for kind in ("bad", "good", "bad", "bad", "good"):
                await world.bus.publish("task", Event(kind))
            await agent.handled(5)

    asyncio.run(run())
    assert agent.lives.count("pause") == 1


def test_failed_events_are_never_a_crash_by_default(enter: Enter) -> None:
    agent = Crashing()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for _ in range(100):
                await world.bus.publish("task", Event("bad"))
            await agent.handled(100)

    asyncio.run(run())
    assert agent.lives == ["setup", "teardown"]


def test_an_agent_can_be_deleted_while_it_waits_for_its_restart(enter: Enter, captured: Capture) -> None:
    paused = asyncio.Event()

    async def pause(_: float) -> None:
        paused.set()
        await asyncio.get_running_loop().create_future()

    async def run() -> None:
        async with enter(pause=pause) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), Crashing())
            await world.bus.publish("task", Event("crash"))
            await paused.wait()
            await runtime.delete("planner")
            assert captured.value(r.AGENTS_ACTIVE) == 0

    asyncio.run(run())


@given(
    st.lists(st.floats(0, 30), max_size=30),
    st.integers(0, 5),
    st.floats(1, 60),
)
def test_there_are_never_more_restarts_within_the_window_than_the_limit(
    gaps: list[float], limit: int, window: float
) -> None:
    restarts = Restarts(RestartPolicy(limit, window, first=0.5, longest=4.0))
    granted: list[float] = []
    now = 0.0
    for gap in gaps:
        now += gap
        delay = restarts.after_crash(now)
        if delay is None:
            assert sum(now - each <= window for each in granted) >= limit
            break
        assert 0.5 <= delay <= 4.0
        granted.append(now)
        assert sum(now - each <= window for each in granted) <= limit


@pytest.mark.parametrize("restart", [1, 2, 100, 10_000])
def test_a_pause_is_never_longer_than_the_longest(restart: int) -> None:
    assert RestartPolicy().delay(restart) <= RestartPolicy().longest


def test_a_crashed_agent_is_not_set_up_again_before_everything_it_handles_has_ended(enter: Enter) -> None:
    order: list[str] = []

    async def run() -> None:
        crashed, release = asyncio.Event(), asyncio.Event()

        async def pause(_: float) -> None:
            order.append("pause")

        async def act(event: Event, _: AgentContext) -> Sequence[Action]:
            if event.type == "crash":
                crashed.set()
                raise Crash
            await release.wait()
            order.append("ended")
            return ()

        agent = ScriptedAgent(act)
        async with enter(pause=pause) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",), concurrency=2), agent)
            await world.bus.publish("task", Event("slow"))
            await world.bus.publish("task", Event("crash"))
            await crashed.wait()
            for _ in range(5):
                await asyncio.sleep(0)
            release.set()
            await agent.handled(2)

    asyncio.run(run())
    assert order == ["ended", "pause"]
