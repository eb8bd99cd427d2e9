"""One trace per cause: what a reader sees in Jaeger."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from loom.contract import attributes as a
from loom.contract.metrics import agent as m
from loom.contract.spans import agent as spans
from loom.contract.spans import agent_runtime as runtime_spans
from loom.contract.spans import router as router_spans
from loom.runtime import ActionBroker, Event, EventBus
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
from loom.runtime.router import FixedEstimator, Landscape, Model, Route, Router
from loom.telemetry import Sampling, Settings, Telemetry
from loom.telemetry.capture import Capture, capture

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]
Tree = list[tuple[str, "Tree"]]


def tree(spans: Sequence[ReadableSpan], parent: int | None = None) -> Tree:
    """Names of spans with their children, in the order in which they started."""
    return [
        (span.name, tree(spans, span.context.span_id))
        for span in sorted(spans, key=lambda span: span.start_time or 0)
        if span.context and (span.parent.span_id if span.parent else None) == parent
    ]


def of_trace(captured: Capture, root: str) -> list[ReadableSpan]:
    """The spans of the one trace whose root has that name."""
    spans = captured.spans()
    (begun,) = [span for span in spans if span.name == root and span.parent is None]
    assert begun.context
    return [span for span in spans if span.context and span.context.trace_id == begun.context.trace_id]


async def ask_echo(event: Event, _: AgentContext) -> Sequence[Action]:
    return [Action("echo", event.payload)]


def test_one_event_is_one_trace_from_its_publisher_through_agents_broker_and_replies(
    enter: Enter, captured: Capture
) -> None:
    planner, writer = ScriptedAgent(ask_echo), ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), planner)
            runtime.create(AgentConfig("writer", topics=("thread.*",)), writer)
            await world.bus.publish("task", Event("chat", "text"))
            await writer.handled(1)

    asyncio.run(run())
    reply: tuple[str, Tree] = ("publish", [("run", [("route_event", [("route", [])])])])
    handled = ("run", [("route_event", [("route", [])]), ("execute_action", [("invoke", [])]), reply])
    assert tree(of_trace(captured, "publish")) == [("publish", [handled])]
    assert writer.events[0].type == "action_result"
    assert writer.events[0].payload == "text"


def test_each_handled_event_has_a_consumer_span_of_its_own_and_none_lives_as_long_as_the_agent(
    enter: Enter, captured: Capture
) -> None:
    agent = ScriptedAgent()

    async def run() -> None:
        async with enter() as (runtime, world):
            runtime.create(AgentConfig("planner", "thinker", topics=("task",)), agent)
            for _ in range(3):
                await world.bus.publish("task", Event("chat"))
            await agent.handled(3)

    asyncio.run(run())
    runs = captured.spans(spans.RUN)
    assert len({span.context.trace_id for span in runs if span.context}) == 3
    assert {span.kind for span in runs} == {SpanKind.CONSUMER}
    assert [dict(span.attributes or {}) for span in runs] == [
        {
            a.AGENT_ID.name: "planner",
            a.AGENT_TYPE.name: "thinker",
            a.EVENT_ID.name: event.id,
            a.TOPIC.name: "task",
            a.EVENT_OUTCOME.name: "ok",
        }
        for event in agent.events
    ]


def test_the_trace_of_whoever_creates_an_agent_ends_there(enter: Enter, captured: Capture) -> None:
    prepared: list[Surroundings] = []

    class Prepared(ScriptedAgent):
        async def setup(self) -> None:
            """Publish something that the creator has nothing to do with."""
            await prepared[0].bus.publish("prepared", Event("chat"))

    agent = Prepared()

    async def run() -> None:
        async with enter() as (runtime, world):
            prepared.append(world)
            with world.telemetry.span(runtime_spans.CREATE_AGENT, {}):
                runtime.create(AgentConfig("planner", topics=("task",)), agent)
            await world.bus.publish("task", Event("chat"))
            await agent.handled(1)

    asyncio.run(run())
    assert tree(of_trace(captured, "create_agent")) == [
        ("create_agent", [("create_agent", [("subscribe", []), ("subscribe", [])])])
    ]


def test_what_an_agent_does_for_an_event_that_is_not_traced_is_in_no_trace() -> None:
    async def answer(event: Event, context: AgentContext) -> Sequence[Action]:
        await context.publish("out", Event(event.type))
        return ()

    async def run(telemetry: Telemetry) -> None:
        router = Router(Landscape((Model("small"),)), FixedEstimator(), telemetry)
        async with EventBus(telemetry) as bus, ActionBroker(telemetry) as broker:
            # Several, so that some of the creators' traces are kept and some are not.
            agents = [ScriptedAgent(answer) for _ in range(10)]
            async with AgentRuntime(bus, broker, router, telemetry) as runtime:
                for number, agent in enumerate(agents):
                    runtime.create(AgentConfig(f"a{number}", topics=(f"task.{number}",)), agent)
                for number in range(400):
                    await bus.publish(f"task.{number % 10}", Event("chat"))
                for agent in agents:
                    await agent.handled(40)

    with capture(Settings(sampling=Sampling(0.5))) as captured:
        asyncio.run(run(captured.telemetry))
    whole: tuple[str, Tree] = ("publish", [("run", [("route_event", [("route", [])]), ("publish", [])])])
    traces = [each for each in tree(captured.spans()) if each[0] == "publish"]
    assert 100 < len(traces) < 300
    assert all(each == whole for each in traces)
    assert sum(span.name == "publish" for span in captured.spans()) == 2 * len(traces)


def test_deleting_an_agent_is_a_span_with_its_unsubscriptions(enter: Enter, captured: Capture) -> None:
    async def run() -> None:
        async with enter() as (runtime, _):
            runtime.create(AgentConfig("planner"), ScriptedAgent())
            runtime.subscribe("planner", "order.1234")
            runtime.unsubscribe("planner", "order.1234")
            await runtime.delete("planner")

    asyncio.run(run())
    assert tree(of_trace(captured, "delete_agent")) == [("delete_agent", [("unsubscribe", [])])]
    for definition in (runtime_spans.SUBSCRIBE_AGENT, runtime_spans.UNSUBSCRIBE_AGENT):
        (span,) = captured.spans(definition)
        assert dict(span.attributes or {}) == {
            a.AGENT_ID.name: "planner",
            a.AGENT_TYPE.name: "agent",
            a.TOPIC.name: "order.*",
        }


def test_parameters_and_payloads_are_on_no_span(enter: Enter, captured: Capture) -> None:
    agent = ScriptedAgent(ask_echo)

    async def run() -> None:
        async with enter() as (runtime, world):
            config = AgentConfig("planner", topics=("task",), parameters={"api_key": "hunter2"})
            assert "hunter2" not in repr(config)
            runtime.create(config, agent)
            await world.bus.publish("task", Event("chat", "hunter2", metadata={"token": "hunter2"}))
            await agent.handled(1)

    asyncio.run(run())
    assert all("hunter2" not in span.to_json() for span in captured.spans())


def test_every_span_of_agents_has_every_attribute_of_its_contract_and_ends_ok_or_error(
    enter: Enter, captured: Capture
) -> None:
    async def act(event: Event, _: AgentContext) -> Sequence[Action]:
        if event.type == "bad":
            raise ValueError(event.type)
        return [Action(event.type, "text")]

    async def run() -> None:
        async with enter() as (runtime, world):
            agent = ScriptedAgent(act)
            runtime.create(AgentConfig("planner", topics=("task",)), agent)
            for kind in ("echo", "fail", "nothing", "bad"):
                await world.bus.publish("task", Event(kind))
            await agent.handled(4)

    asyncio.run(run())
    for definition in (*spans.ALL, runtime_spans.CREATE_AGENT, runtime_spans.DELETE_AGENT):
        found = captured.spans(definition)
        assert found
        for span in found:
            attributes = dict(span.attributes or {})
            assert {each.name for each in definition.attributes} <= set(attributes)
            assert span.status.is_ok or attributes[a.ERROR_TYPE.name]
            assert not span.status.is_unset
    statuses = [(span.attributes or {})[a.CALL_STATUS.name] for span in captured.spans(spans.EXECUTE_ACTION)]
    assert statuses == ["ok", "error", "not_found"]
    (failed,) = [span for span in captured.spans(spans.RUN) if not span.status.is_ok]
    assert [event.name for event in failed.events] == ["exception"]


class Undecided:
    """Says when it is asked, and never how sure it is."""

    def __init__(self) -> None:
        """Nobody asked yet."""
        self.asked = asyncio.Event()

    def supports(self, _: str) -> bool:
        return True

    async def estimate(self, _: Event) -> float:
        self.asked.set()
        never: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        return await never


def test_an_event_that_is_given_up_while_it_is_routed_leaves_spans_with_every_attribute(
    enter: Enter, captured: Capture
) -> None:
    async def run() -> None:
        estimator = Undecided()
        router = Router(Landscape((Model("small"),)), estimator, captured.telemetry, patience=60)
        async with enter(router, drain=0) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), ScriptedAgent())
            await world.bus.publish("task", Event("chat"))
            await estimator.asked.wait()

    asyncio.run(run())
    for definition in (spans.RUN, spans.ROUTE_EVENT, router_spans.ROUTE):
        (span,) = captured.spans(definition)
        attributes = dict(span.attributes or {})
        assert {each.name for each in definition.attributes} <= set(attributes)
        assert attributes[a.ERROR_TYPE.name] == "CancelledError"
    (routed,) = captured.spans(spans.ROUTE_EVENT)
    assert (routed.attributes or {})[a.ROUTE.name] == Route.DROP
    assert captured.value(m.EVENTS_PROCESSED, "agent", "dropped") == 1
    assert captured.total(m.ROUTING_DECISIONS) == 0


def test_an_agent_that_is_buried_leaves_a_failed_delete_span(enter: Enter, captured: Capture) -> None:
    async def crash(_: Event, __: AgentContext) -> Sequence[Action]:
        raise Crash

    async def run() -> None:
        async with enter(restart=RestartPolicy(limit=0)) as (runtime, world):
            runtime.create(AgentConfig("planner", topics=("task",)), ScriptedAgent(crash))
            await world.bus.publish("task", Event("chat"))
            await runtime.settle(10)
            assert runtime.agents() == []

    asyncio.run(run())
    (span,) = captured.spans(runtime_spans.DELETE_AGENT)
    assert (span.attributes or {})[a.ERROR_TYPE.name] == "Crash"
