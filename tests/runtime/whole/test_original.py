"""What the original runtime got wrong and no single room answers for."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loom.contract.metrics import action_broker, event_bus
from loom.contract.spans import action_broker as broker_spans
from loom.contract.spans import event_bus as spans
from loom.runtime import ActionBroker, BusLimits, Call, Capability, Event, EventBus, Qos, Result, Status
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentOptions, ScriptedAgent
from loom.runtime.configuration import Configuration
from loom.runtime.logs import LogSettings
from loom.runtime.loom import Loom
from loom.runtime.mcp import Limits, Manager, ServerConfig, Stdio
from loom.runtime.orchestrator.script import Reply, Script
from loom.runtime.orchestrator.scripted import ScriptedServer
from loom.runtime.reasons import CLOSED, QUEUE_FULL
from loom.telemetry import Telemetry
from loom.telemetry.capture import Capture

pytestmark = pytest.mark.anyio

STRICT = Path(__file__).parent / "servers" / "strict.py"
QUIET = Configuration(logs=None, signals=False, agents=AgentOptions(drain=5))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


# Event bus


async def test_one_publish_is_dropped_for_each_subscription_for_its_own_reason(captured: Capture) -> None:
    async with EventBus(captured.telemetry, BusLimits(slot_wait=1)) as bus:
        bus.subscribe("x", capacity=1)
        leaving = bus.subscribe("x", capacity=1)
        await bus.publish("x", Event("a"))
        publishing = asyncio.ensure_future(bus.publish("x", Event("b")))
        await settle()
        leaving.close()
        assert await publishing == 0
        # One more as closed: what the leaving one had queued.
        assert captured.values(event_bus.DROPPED) == {("x", QUEUE_FULL): 1, ("x", CLOSED): 2}


async def test_subscribing_and_unsubscribing_do_not_wait_for_a_publisher_that_waits() -> None:
    async with EventBus(Telemetry.disabled(), BusLimits(drain=0)) as bus:
        full, other = bus.subscribe("x", capacity=1), bus.subscribe("x", capacity=5)
        await bus.publish("x", Event("a"))
        publishing = asyncio.ensure_future(bus.publish("x", Event("b")))
        await settle()
        assert not publishing.done()
        late = bus.subscribe("x")
        other.close()
        assert await bus.publish("x", Event("c"), Qos.REALTIME) == 1
        assert late.depth == 1
        full.close()
        assert await publishing == 1


async def test_subscriptions_have_ids_of_their_own_however_fast_they_are_made() -> None:
    async with EventBus(Telemetry.disabled()) as bus:
        assert len({bus.subscribe("x").id for _ in range(10_000)}) == 10_000


class Counting(dict[str, Any]):
    """Counts who looks something up in it."""

    def __init__(self, known: dict[str, Any]) -> None:
        """Nobody yet."""
        super().__init__(known)
        self.asked = 0

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as a dict's
        """Look one thing up."""
        self.asked += 1
        return super().get(key, default)

    def __iter__(self) -> Any:  # noqa: ANN401 - as a dict's
        """Look at everything."""
        self.asked += len(self)
        return super().__iter__()

    items = values = keys = None  # type: ignore[assignment] # nobody may go through all of them


async def test_finding_the_subscribers_of_a_topic_looks_at_its_own_patterns_only() -> None:
    async with EventBus(Telemetry.disabled(), BusLimits(drain=0)) as bus:
        for number in range(1000):
            bus.subscribe(f"other.{number}.*")
        wanted = bus.subscribe("a.b.*")
        bus._registry._by_pattern = patterns = Counting(bus._registry._by_pattern)
        assert await bus.publish("a.b.c", Event("e")) == 1
        assert patterns.asked == 4  # a.b.c, a.b.*, a.*, *
        assert await bus.publish("a.b.c", Event("e")) == 1
        assert patterns.asked == 4
        bus._registry._by_pattern = dict(dict.items(patterns))
        assert wanted.depth == 2


async def test_an_event_that_nobody_hears_is_counted_and_not_logged(
    captured: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with EventBus(captured.telemetry) as bus:
        caplog.clear()
        for _ in range(100):
            await bus.publish("x", Event("a"))
        assert [record for record in caplog.records if record.name.startswith("loom")] == []
        assert captured.value(event_bus.DROPPED, "x", "no_subscriber") == 100


# Action broker


async def test_a_returned_timeout_counts_as_one(captured: Capture) -> None:
    async def late(_: Call) -> Result:
        return Result.failed("UPSTREAM_TIMEOUT", status=Status.TIMEOUT)

    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("late"), late)
        assert (await broker.invoke(Call("late"))).status is Status.TIMEOUT
        assert captured.values(action_broker.TIMEOUTS) == {("late",): 1}
        assert captured.values(action_broker.ERRORS) == {("late", "UPSTREAM_TIMEOUT"): 1}
        assert captured.values(action_broker.INVOCATIONS) == {("late", "timeout"): 1}


# Agents and the whole


@asynccontextmanager
async def running(captured: Capture, configuration: Configuration = QUIET) -> AsyncIterator[Loom]:
    """A Loom that leaves no task behind."""
    before = asyncio.all_tasks()
    async with asyncio.timeout(30), Loom(configuration, captured.telemetry) as loom:
        yield loom
    assert asyncio.all_tasks() == before


async def test_handling_an_event_publishes_nothing_that_nobody_asked_for(captured: Capture) -> None:
    agent = ScriptedAgent()
    async with running(captured) as loom:
        loom.agents.create(AgentConfig("planner", topics=("task", "agent.planner")), agent)
        await loom.bus.publish("task", Event("chat"))
        await agent.handled(1)
    assert captured.values(event_bus.PUBLISHED) == {("task", "batched"): 1}
    assert captured.total(event_bus.DROPPED) == 0
    assert len(agent.events) == 1


async def test_a_result_is_data_whatever_its_error_says(captured: Capture) -> None:
    awkward = 'no "quotes", \\ or \n lines {'

    async def fail(_: Call) -> object:
        raise OSError(awkward)

    async def ask(_: Event, context: AgentContext) -> Sequence[Action]:
        return [Action("fail", reply_to=context.mailbox)] if context.envelope.topic == "task" else ()

    agent = ScriptedAgent(ask)
    async with running(captured) as loom:
        loom.broker.register(Capability("fail"), fail)
        loom.agents.create(AgentConfig("planner", topics=("task",)), agent)
        await loom.bus.publish("task", Event("chat"))
        await agent.handled(2)
    assert agent.events[1].payload == {"code": "CAPABILITY_ERROR", "message": awkward}


async def test_the_log_level_does_not_decide_which_spans_there_are(captured: Capture) -> None:
    logging.getLogger("loom").setLevel(logging.CRITICAL)
    try:
        async with running(captured, replace(QUIET, logs=LogSettings(logging.CRITICAL))) as loom:
            await loom.bus.publish("x", Event("a"))
    finally:
        logging.getLogger("loom").setLevel(logging.NOTSET)
    assert len(captured.spans(spans.PUBLISH)) == 1


async def test_spans_of_tasks_that_run_side_by_side_hang_under_their_own_parents(captured: Capture) -> None:
    async def outer(call: Call) -> object:
        await asyncio.sleep(0)
        inner = [broker.invoke(Call("inner", call.payload)) for _ in range(2)]
        return [result.output for result in await asyncio.gather(*inner)]

    async def inner(call: Call) -> object:
        for _ in range(int(str(call.payload)) % 3):
            await asyncio.sleep(0)
        return call.payload

    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("outer"), outer)
        broker.register(Capability("inner"), inner)
        await asyncio.gather(*(broker.invoke(Call("outer", number)) for number in range(20)))
    invoked = captured.spans(broker_spans.INVOKE)
    outers = {
        span.context.span_id
        for span in invoked
        if span.context and (span.attributes or {})["capability"] == "outer"
    }
    below = [span.parent.span_id for span in invoked if span.parent]
    assert len(outers) == 20
    assert sorted(below) == sorted([*outers] * 2)


async def test_the_client_of_the_model_is_made_once_and_not_for_every_call(
    captured: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openai  # noqa: PLC0415 - an extra that takes a second to import

    made = []

    class Client(openai.AsyncOpenAI):
        def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the client's own
            """Remember it."""
            made.append(self)
            super().__init__(**options)

    monkeypatch.setattr(openai, "AsyncOpenAI", Client)
    with ScriptedServer(Script((Reply("yes"),), forever=True)) as model:
        async with running(captured, replace(QUIET, model=model.settings())) as loom:
            for _ in range(3):
                assert (await loom.broker.invoke(Call("llm.generate", {"prompt": "?"}))).output == "yes"
    assert len(made) == 1
    assert made[0].is_closed()


# MCP


@asynccontextmanager
async def connected(captured: Capture, **limits: float) -> AsyncIterator[tuple[ActionBroker, Manager]]:
    """A broker and a manager with the strict server."""
    chosen = Limits(stop_timeout=0.5, **limits)  # type: ignore[arg-type] # seconds
    server = ServerConfig("strict", Stdio(sys.executable, ("-S", str(STRICT))), chosen)
    async with (
        asyncio.timeout(30),
        ActionBroker(captured.telemetry) as broker,
        Manager(broker, captured.telemetry) as manager,
    ):
        await manager.add_server(server)
        yield broker, manager


async def test_a_server_is_told_that_it_is_initialized_and_its_older_version_is_spoken(
    captured: Capture,
) -> None:
    async with connected(captured) as (_, manager):
        status = manager.server("strict")
        assert status.protocol_version == "2025-03-26"
        assert "hang" in status.tools


async def test_calls_that_timed_out_are_not_remembered(
    captured: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher  # noqa: PLC0415 - slow to import

    seen: list[Any] = []
    begin = JSONRPCDispatcher.__init__

    def remember(self: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the SDK's own
        seen.append(self)
        begin(self, *arguments, **options)

    monkeypatch.setattr(JSONRPCDispatcher, "__init__", remember)
    async with connected(captured, call_timeout=0.05) as (broker, _):
        calls = [broker.invoke(Call("strict:hang")) for _ in range(20)]
        assert {result.status for result in await asyncio.gather(*calls)} == {Status.TIMEOUT}
        assert seen
        # One, since twenty timeouts are a reason to ask the server for a sign of life.
        assert sum(len(dispatcher._pending) for dispatcher in seen) <= 1
    assert captured.values(action_broker.TIMEOUTS) == {("strict:hang",): 20}


async def test_content_of_an_unknown_kind_is_refused_by_its_code_and_the_server_goes_on(
    captured: Capture,
) -> None:
    async with connected(captured) as (broker, manager):
        hologram = await broker.invoke(Call("strict:hologram"))
        assert hologram.error is not None
        assert hologram.error.code == "INVALID_RESULT"
        assert "report it there" in hologram.error.message
        image = await broker.invoke(Call("strict:picture"))
        assert str(image.output) == "seen\n[image image/png, 3 bytes]"
        assert manager.server("strict").failures == 0
    assert captured.value(action_broker.ERRORS, "strict:hologram", "INVALID_RESULT") == 1
