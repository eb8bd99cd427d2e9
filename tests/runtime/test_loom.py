"""Loom as a whole: wired, started, stopped by its program or by a signal, and nothing left behind."""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO

import pytest

from loom.contract import environment
from loom.contract.metrics import agent_runtime, event_bus
from loom.contract.spans import event_bus as spans
from loom.errors import ConfigurationError, EnvironmentValueError, LoomRuntimeError
from loom.runtime import Coordination, Event, logs
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentOptions, ScriptedAgent
from loom.runtime.configuration import DRAIN, LOG_LEVEL, Configuration
from loom.runtime.loom import Loom
from loom.runtime.mcp import ServerConfig, State, Stdio
from loom.runtime.orchestrator.script import Reply, Script
from loom.runtime.orchestrator.scripted import ScriptedServer
from loom.telemetry import Settings, Telemetry
from loom.telemetry.capture import Capture

QUIET = Configuration(telemetry=Settings(disabled=True))
NEVER = ServerConfig("never", Stdio(sys.executable, ("-c", "import sys; sys.stdin.read()")))
"""Starts, and never answers."""


def test_an_event_reaches_the_model_and_its_answer_comes_back(captured: Capture) -> None:
    async def ask(_: Event, __: AgentContext) -> Sequence[Action]:
        return [Action("llm.generate", "why?")]

    async def converse(loom: Loom) -> object:
        desk = ScriptedAgent()
        async with loom, asyncio.timeout(20):
            config = AgentConfig("desk")
            loom.agents.create(config, desk)
            loom.agents.create(AgentConfig("planner", topics=("questions",)), ScriptedAgent(ask))
            reply = Coordination(reply_to=config.mailbox)
            await loom.bus.publish("questions", Event("question"), coordination=reply)
            await desk.handled(1)
        return desk.events[0].payload

    with ScriptedServer(Script((Reply("because"),))) as model:
        loom = Loom(replace(QUIET, model=model.settings()), captured.telemetry)
        assert asyncio.run(converse(loom)) == "because"
    assert captured.total(agent_runtime.AGENTS_CREATED) == 2
    assert captured.total(agent_runtime.AGENTS_ACTIVE) == captured.total(event_bus.ACTIVE_SUBSCRIPTIONS) == 0
    assert len({span.context.trace_id for span in captured.spans(spans.PUBLISH) if span.context}) == 1


def test_a_model_cannot_call_the_capability_that_is_itself() -> None:
    async def ask(loom: Loom) -> None:
        async with loom, asyncio.timeout(20):
            await loom.orchestrator.run("why?")

    with ScriptedServer(Script((Reply("because"),))) as model:
        asyncio.run(ask(Loom(replace(QUIET, model=model.settings()))))
        assert "tools" not in model.requests[0].body


def test_everything_malformed_in_the_environment_is_named_at_once() -> None:
    environ = {
        LOG_LEVEL.name: "loud",
        DRAIN.name: "soon",
        "LOOM_ROUTING_COST_CAP": "cheap",
        "LOOM_MCP_SERVERS": "[{}]",
        "LOOM_MODEL_BASE_URL": "nowhere",
        environment.SAMPLER.name: "sometimes",
    }
    with pytest.raises(EnvironmentValueError) as caught:
        Loom.from_environment(environ)
    text = str(caught.value)
    assert [name for name in environ if name not in text] == []


def test_an_empty_environment_is_the_documented_one() -> None:
    configuration = Configuration.from_environ({})
    assert configuration.telemetry.service_name == environment.SERVICE_NAME.default
    assert configuration.model is None
    assert configuration.servers == ()
    assert configuration.agents.drain == float(DRAIN.default)


def test_a_configuration_that_cannot_work_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"two servers(.|\n)*drain"):
        Configuration(servers=(NEVER, NEVER), agents=AgentOptions(drain=-1))


def test_a_loom_is_started_once_and_the_next_one_works() -> None:
    async def start(loom: Loom) -> None:
        with pytest.raises(LoomRuntimeError, match="not running"):
            _ = loom.bus
        async with loom:
            assert await loom.bus.publish("nobody", Event("whisper")) == 0
            with pytest.raises(LoomRuntimeError, match="LOOM_MODEL"):
                _ = loom.orchestrator
        with pytest.raises(LoomRuntimeError, match="not running"):
            _ = loom.bus
        with pytest.raises(LoomRuntimeError, match="started before"):
            await loom.__aenter__()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(start(Loom(QUIET)))
    asyncio.run(start(Loom(QUIET)))


def test_a_start_that_fails_closes_what_was_opened(
    captured: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setitem(sys.modules, "openai", None)  # as if the extra were not installed

    async def start(loom: Loom) -> None:
        with pytest.raises(ConfigurationError, match="loom-deploy"):
            await loom.__aenter__()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert signal.getsignal(signal.SIGTERM) == before[1]

    with ScriptedServer(Script(())) as model:
        asyncio.run(start(Loom(replace(QUIET, model=model.settings()), captured.telemetry)))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_block_and_what_is_queued_is_handled(
    captured: Capture, number: signal.Signals
) -> None:
    begun = asyncio.Event()

    async def linger(_: Event, __: AgentContext) -> Sequence[Action]:
        begun.set()
        for _step in range(20):
            await asyncio.sleep(0)
        return ()

    async def work(loom: Loom, agent: ScriptedAgent) -> str:
        async with loom, asyncio.timeout(20):
            loom.agents.create(AgentConfig("worker", topics=("work",)), agent)
            for _ in range(10):
                await loom.bus.publish("work", Event("task"))
            await begun.wait()
            os.kill(os.getpid(), number)
            await loom.serve()
        return "behind the block"

    agent, loom = ScriptedAgent(linger), Loom(QUIET, captured.telemetry)
    assert asyncio.run(work(loom, agent)) == "behind the block"
    assert loom.stopped_by is number
    assert agent.ended == 10
    assert captured.total(agent_runtime.AGENTS_ACTIVE) == 0


def test_a_signal_that_comes_when_the_body_is_done_does_not_cut_the_draining() -> None:
    async def work(loom: Loom, agent: ScriptedAgent) -> None:
        async with loom:
            loom.agents.create(AgentConfig("worker", topics=("work",)), agent)
            await loom.bus.publish("work", Event("task"))
            loom._hear(signal.SIGTERM)

    agent, loom = ScriptedAgent(), Loom(QUIET)
    asyncio.run(work(loom, agent))
    assert loom.stopped_by is signal.SIGTERM
    assert agent.ended == 1


def test_a_second_signal_cuts_the_draining_short() -> None:
    async def hang(_: Event, __: AgentContext) -> Sequence[Action]:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(1)  # the first ends the block, the second arrives while it drains
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
        return ()

    async def work(loom: Loom) -> None:
        async with loom:
            loom.agents.create(AgentConfig("worker", topics=("work",)), ScriptedAgent(hang))
            await loom.bus.publish("work", Event("task"))
            await loom.serve()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def hurry() -> None:
        async with asyncio.timeout(20):
            await work(Loom(replace(QUIET, agents=AgentOptions(drain=600))))

    asyncio.run(hurry())


def test_telemetry_that_a_second_signal_cuts_short_has_not_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry, loom = Telemetry.disabled(), Loom(QUIET)

    async def close() -> bool:
        asyncio.get_running_loop().call_soon(loom._hear, signal.SIGTERM)
        await asyncio.Event().wait()
        return True

    async def work() -> None:
        async with asyncio.timeout(20), loom:
            loom._hear(signal.SIGTERM)
            await loom.serve()

    monkeypatch.setattr(telemetry, "close", close)
    monkeypatch.setattr("loom.runtime.loom.setup", lambda *_: telemetry)
    asyncio.run(work())
    assert loom.arrived is False


def test_a_signal_during_the_start_ends_the_program() -> None:
    async def start(loom: Loom) -> None:
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGTERM)
        async with loom:
            pytest.fail("it was not started")

    with pytest.raises(SystemExit) as caught:
        asyncio.run(start(Loom(replace(QUIET, servers=(NEVER,)))))
    assert caught.value.code == 128 + signal.SIGTERM


def test_an_error_of_the_program_comes_out_as_it_is() -> None:
    async def work() -> None:
        async with Loom(QUIET):
            raise KeyError("mine")  # noqa: EM101 - the text that must come out

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(work())


def test_a_server_that_cannot_be_connected_does_not_keep_loom_from_starting() -> None:
    missing = ServerConfig("missing", Stdio("/nowhere/at/all"))

    async def work() -> list[State]:
        states = []
        async with Loom(replace(QUIET, servers=(missing,))) as loom:
            states.append(loom.servers.server("missing").state)
        return states

    assert asyncio.run(work()) == [State.UNAVAILABLE]


@contextmanager
def logging_to(stream: StringIO, settings: logs.LogSettings) -> Iterator[logging.Logger]:
    """As in a process whose logging nobody has configured: pytest has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.getLogger(), "handlers", [])
        stop = logs.start(settings, stream)
        try:
            yield logging.getLogger("loom.shop")
        finally:
            stop()


def test_a_line_of_json_names_the_trace_it_belongs_to(captured: Capture) -> None:
    stream = StringIO()
    with logging_to(stream, logs.LogSettings(form="json")) as logger:
        with captured.telemetry.span(spans.SUBSCRIBE, {}) as span:
            logger.info("sold %d", 3, extra={"customer": "x"})
            context = span.get_span_context()
        logger.error("failed\nbadly", exc_info=ValueError())
        logger.debug("not asked for")
    logger.error("after the end")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["trace_id"] == f"{context.trace_id:032x}"
    assert first["span_id"] == f"{context.span_id:016x}"
    assert (first["level"], first["message"], first["customer"]) == ("info", "sold 3", "x")
    assert "trace_id" not in second
    assert second["exception"]["type"] == "ValueError"


def test_a_line_of_text_is_what_the_document_tells_people_to_look_for(captured: Capture) -> None:
    stream = StringIO()
    with logging_to(stream, logs.LogSettings()) as logger:
        logger.info("hello")
        with captured.telemetry.span(spans.SUBSCRIBE, {}) as span:
            logger.info("traced")
    trace_id = f"{span.get_span_context().trace_id:032x}"
    assert stream.getvalue() == f"INFO test_loom: hello\nINFO test_loom: traced trace_id={trace_id}\n"


def test_a_program_that_configured_logging_keeps_what_it_has() -> None:
    before = logging.getLogger().handlers[:]
    assert before
    logs.start(logs.LogSettings())()
    assert logging.getLogger().handlers == before
