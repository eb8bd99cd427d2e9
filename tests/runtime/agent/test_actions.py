"""Actions: through the broker, counted once each, their results published."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from loom.contract import attributes as a
from loom.contract.metrics import action_broker as bm
from loom.contract.metrics import agent as m
from loom.contract.metrics import event_bus as b
from loom.contract.spans import agent as spans
from loom.errors import LoomRuntimeError
from loom.runtime import Call, Capability, Coordination, Event, Qos, Result, Status
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentRuntime, ScriptedAgent
from loom.runtime.agent.options import Surroundings
from loom.runtime.coordination import HOPS
from loom.runtime.envelope import Envelope
from loom.telemetry.capture import Capture

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]


def returning(*actions: Action) -> ScriptedAgent:
    """An agent that asks for the same each time."""

    async def act(_: Event, __: AgentContext) -> Sequence[Action]:
        return actions

    return ScriptedAgent(act)


def test_an_action_ends_in_exactly_one_status_and_a_capability_that_is_not_there_kills_nobody(
    enter: Enter, captured: Capture
) -> None:
    async def never(_: Call) -> object:
        return await asyncio.get_running_loop().create_future()

    agent = returning(Action("echo"), Action("fail"), Action("nowhere"), Action("slow", timeout=0.01))

    async def run() -> None:
        async with enter() as (runtime, world):
            world.broker.register(Capability("slow"), never)
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for _ in range(2):
                await world.bus.publish("task", Event("chat"))
            await agent.handled(2)

    asyncio.run(run())
    counted = {key[1:]: count for key, count in captured.values(m.ACTIONS_EXECUTED).items()}
    assert counted == {
        ("echo", Status.OK): 2,
        ("fail", Status.ERROR): 2,
        ("nowhere", Status.NOT_FOUND): 2,
        ("slow", Status.TIMEOUT): 2,
    }
    assert captured.value(m.EVENTS_PROCESSED, "agent", "ok") == 2


def test_a_result_is_an_event_in_the_conversation_one_hop_further_and_as_private(enter: Enter) -> None:
    received: list[Envelope] = []

    async def run() -> None:
        async with enter() as (runtime, world):
            replies = world.bus.subscribe("answers")
            runtime.create(AgentConfig("planner", topics=("task",)), returning(Action("echo", "text")))
            event = Event("chat", metadata={"privacy": "private"}, id="e1")
            asked = Coordination(thread_id="t1", reply_to="answers", hops=2, ttl=9)
            await world.bus.publish("task", event, coordination=asked)
            received.append(await replies.get(10))

    asyncio.run(run())
    (envelope,) = received
    coordination = envelope.coordination
    assert (envelope.thread_id, envelope.correlation_id, coordination.sender) == ("t1", "e1", "planner")
    assert (coordination.hops, coordination.ttl) == (3, 8)
    assert envelope.event.source == "planner"
    assert dict(envelope.event.metadata) == {"action_type": "echo", "status": "ok", "privacy": "private"}


@pytest.mark.parametrize(
    ("priority", "qos"), [(100, Qos.REALTIME), (70, Qos.REALTIME), (69, Qos.BATCHED), (29, Qos.BACKGROUND)]
)
def test_the_priority_of_an_action_is_the_quality_of_service_of_its_result(
    enter: Enter, priority: int, qos: Qos
) -> None:
    async def run() -> Qos:
        async with enter() as (runtime, world):
            replies = world.bus.subscribe("out")
            action = Action("echo", priority=priority, reply_to="out")
            runtime.create(AgentConfig("planner", topics=("task",)), returning(action))
            await world.bus.publish("task", Event("chat"))
            return (await replies.get(10)).qos

    assert asyncio.run(run()) is qos


def test_a_failed_action_answers_with_its_code(enter: Enter) -> None:
    async def run() -> Event:
        async with enter() as (runtime, world):
            replies = world.bus.subscribe("out")
            runtime.create(AgentConfig("planner", topics=("task",)), returning(Action("no", reply_to="out")))
            await world.bus.publish("task", Event("chat"))
            return (await replies.get(10)).event

    event = asyncio.run(run())
    assert dict(event.metadata) == {"action_type": "no", "status": "not_found", "error_code": "NOT_FOUND"}
    assert isinstance(event.payload, dict)
    assert event.payload["code"] == "NOT_FOUND"


def test_a_capability_that_is_not_allowed_is_never_called(enter: Enter, captured: Capture) -> None:
    agent = returning(Action("echo"), Action("summarise", capability="fail"))

    async def run() -> None:
        async with enter() as (runtime, world):
            config = AgentConfig("planner", topics=("task",), capabilities=frozenset({"echo"}))
            runtime.create(config, agent)
            await world.bus.publish("task", Event("chat"))
            await agent.handled(1)

    asyncio.run(run())
    assert captured.value(m.ACTIONS_EXECUTED, "agent", "summarise", "error") == 1
    assert captured.total(bm.INVOCATIONS) == captured.value(bm.INVOCATIONS, "echo", "ok") == 1


def test_what_a_provider_calls_a_code_is_on_no_span_unless_it_is_one(enter: Enter, captured: Capture) -> None:
    async def refuse(call: Call) -> Result:
        return Result.failed(str(call.payload))

    codes = ("login of bob with password hunter2 was refused", "DENIED")
    agent = returning(*(Action("refuse", code) for code in codes))

    async def run() -> None:
        async with enter() as (runtime, world):
            world.broker.register(Capability("refuse"), refuse)
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            await agent.handled(1)

    asyncio.run(run())
    assert all("hunter2" not in span.to_json() for span in captured.spans())
    recorded = [
        (span.status.description, attributes[a.ERROR_TYPE.name], attributes[a.ERROR_CODE.name])
        for span in captured.spans(spans.EXECUTE_ACTION)
        if (attributes := span.attributes)
    ]
    assert recorded == [("CAPABILITY_ERROR",) * 3, ("DENIED",) * 3]


def test_a_handler_may_execute_an_action_itself_and_gets_the_result(enter: Enter) -> None:
    results: list[Result] = []

    async def act(_: Event, context: AgentContext) -> Sequence[Action]:
        results.append(await context.execute(Action("echo", 42)))
        return ()

    agent = ScriptedAgent(act)

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            await agent.handled(1)

    asyncio.run(run())
    assert [result.output for result in results] == [42]


def test_agents_that_answer_one_another_stop_when_the_hops_are_used_up(
    enter: Enter, captured: Capture
) -> None:
    async def send(event: Event, context: AgentContext) -> Sequence[Action]:
        await context.publish("ping", Event(event.type))
        return ()

    agent = ScriptedAgent(send)

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("echo", topics=("ping",)), agent)
            await world.bus.publish("ping", Event("chat"))
            await agent.handled(HOPS)

    asyncio.run(run())
    assert len(agent.events) == HOPS
    assert captured.value(b.DROPPED, "ping", "expired") == 1


def test_an_agent_may_ask_for_answers_in_its_mailbox(enter: Enter) -> None:
    async def ask(event: Event, context: AgentContext) -> Sequence[Action]:
        if event.type == "question":
            await context.publish("help", Event("please"), reply_to=context.mailbox)
        return ()

    async def answer(_: Event, context: AgentContext) -> Sequence[Action]:
        await context.reply(Event("answer"))
        return ()

    asking = ScriptedAgent(ask)

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("asking", topics=("task",)), asking)
            runtime.create(AgentConfig("answering", topics=("help",)), ScriptedAgent(answer))
            await world.bus.publish("task", Event("question"))
            await asking.handled(2)

    asyncio.run(run())
    assert [event.type for event in asking.events] == ["question", "answer"]
    assert asking.contexts[1].envelope.coordination.sender == "answering"


def test_a_result_that_cannot_be_published_is_an_error_of_the_event_and_the_other_actions_go_on(
    enter: Enter, captured: Capture
) -> None:
    agent = returning(Action("echo", reply_to="not a topic"), Action("echo", reply_to=None))

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            await agent.handled(1)

    asyncio.run(run())
    assert captured.value(m.ACTIONS_EXECUTED, "agent", "echo", "ok") == 2
    assert captured.value(m.EVENTS_PROCESSED, "agent", "error") == 1


def test_no_result_is_published_where_none_is_wanted(enter: Enter, captured: Capture) -> None:
    agent = returning(Action("echo", reply_to=None))

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            await agent.handled(1)

    asyncio.run(run())
    assert captured.total(b.PUBLISHED) == 1


def test_a_closed_broker_fails_the_action_and_not_the_agent(enter: Enter, captured: Capture) -> None:
    agent = returning(Action("echo", reply_to=None))

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.broker.__aexit__(None, None, None)
            await world.bus.publish("task", Event("chat"))
            await agent.handled(1)

    asyncio.run(run())
    assert captured.value(m.ACTIONS_EXECUTED, "agent", "echo", "error") == 1
    assert captured.value(m.EVENTS_PROCESSED, "agent", "ok") == 1


def test_memory_and_series_stay_within_bounds_however_many_types_of_actions_there_are(
    enter: Enter, captured: Capture
) -> None:
    async def act(event: Event, _: AgentContext) -> Sequence[Action]:
        return [Action(f"made-up-{event.type}", capability="echo", reply_to=None)]

    agent = ScriptedAgent(act)

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for number in range(500):
                await world.bus.publish("task", Event(str(number)))
            await agent.handled(500)

    asyncio.run(run())
    assert len(captured.values(m.ACTIONS_EXECUTED)) == 201
    assert captured.value(m.ACTIONS_EXECUTED, "agent", "other", "ok") == 300


@pytest.mark.parametrize("arguments", [{"type": ""}, {"type": "x", "timeout": -1.0}])
def test_an_action_that_cannot_be_asked_for_is_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(LoomRuntimeError):
        Action(**arguments)  # type: ignore[arg-type]  # wrong on purpose
