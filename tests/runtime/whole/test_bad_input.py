"""Bad input that passes through several rooms: its status and code on each of their metrics and spans."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from loom.contract import attributes as a
from loom.contract.metrics import action_broker, agent, tool_orchestrator
from loom.contract.spans import action_broker as broker_spans
from loom.contract.spans import agent as agent_spans
from loom.runtime import Call, Capability, ErrorCode, Event, Result, Status
from loom.runtime.agent import Action, AgentConfig, AgentContext, ScriptedAgent
from loom.runtime.configuration import Configuration
from loom.runtime.loom import Loom
from loom.runtime.orchestrator import Backoff, Endpoint, Options
from loom.runtime.orchestrator.script import Reply, Script, ScriptedCall
from loom.runtime.orchestrator.scripted import ScriptedServer
from loom.telemetry.capture import Capture

pytestmark = pytest.mark.anyio

GENERATE = "llm.generate"
QUIET = Configuration(logs=None, signals=False, runs=Options(max_rounds=2, refine=False))
YES = Reply("yes")
CANARY = "canary-4f1c"


@asynccontextmanager
async def running(captured: Capture, reply: Reply = YES) -> AsyncIterator[tuple[Loom, ScriptedServer]]:
    """A Loom whose model answers so for ever, and is asked again without a pause; no task is left behind."""
    before = asyncio.all_tasks()
    runs = replace(QUIET.runs, request_timeout=0.3) if reply.fault == "hang" else QUIET.runs
    with ScriptedServer(Script((reply,), forever=True)) as model, pytest.MonkeyPatch.context() as patch:
        patch.setattr("loom.runtime.loom.Endpoint", partial(Endpoint, backoff=Backoff(first=0)))
        configuration = replace(QUIET, model=model.settings(), runs=runs)
        async with asyncio.timeout(30), Loom(configuration, captured.telemetry) as loom:
            yield loom, model
    assert asyncio.all_tasks() == before


def failed(captured: Capture, capability: str) -> ReadableSpan:
    """The span of its one invocation, which failed."""
    (span,) = [
        span
        for span in captured.spans(broker_spans.INVOKE)
        if (span.attributes or {})[a.CAPABILITY.name] == capability
    ]
    assert span.status.status_code is StatusCode.ERROR
    return span


def told(captured: Capture, capability: str, result: Result, status: Status, code: str) -> None:
    """The same status and code in the result, on the broker's metrics and on its span; and words about it."""
    assert result.error is not None
    assert (result.status, result.error.code) == (status, code)
    assert len(result.error.message.split()) > 3
    assert captured.values(action_broker.INVOCATIONS)[capability, status.value] == 1
    assert captured.values(action_broker.ERRORS) == {(capability, code): 1}
    assert captured.value(action_broker.TIMEOUTS, capability) == (status is Status.TIMEOUT)
    attributes = failed(captured, capability).attributes or {}
    assert (attributes[a.CALL_STATUS.name], attributes[a.ERROR_CODE.name]) == (status.value, code)
    assert not any(CANARY in span.to_json() for span in captured.spans())
    assert CANARY not in repr(captured.metrics())


@pytest.mark.parametrize(
    ("reply", "status", "code", "advice"),
    [
        (Reply(fault="drop"), Status.ERROR, "MODEL_UNREACHABLE", "LOOM_MODEL_BASE_URL"),
        (Reply(fault="hang"), Status.TIMEOUT, "MODEL_TIMEOUT", "raise request_timeout"),
        (Reply(status=429), Status.ERROR, "MODEL_RATE_LIMITED", "start fewer runs"),
        (Reply(status=500), Status.ERROR, "MODEL_UNAVAILABLE", "read the log"),
        (Reply(body=f'{{"choices": ["{CANARY}'), Status.ERROR, "MODEL_MALFORMED", "OpenAI-compatible"),
        (Reply(calls=(ScriptedCall("made:up"),)), Status.ERROR, "ROUND_LIMIT", "raise max_rounds"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
async def test_a_model_that_fails_is_told_to_who_called_it_through_the_broker(
    captured: Capture, reply: Reply, status: Status, code: str, advice: str
) -> None:
    async with running(captured, reply) as (loom, _):
        result = await loom.broker.invoke(Call(GENERATE, {"prompt": CANARY}))
        told(captured, GENERATE, result, status, code)
        assert result.error is not None
        assert advice in result.error.message
    outcome = {Status.TIMEOUT: "timeout"}.get(status, "tool_limit" if code == "ROUND_LIMIT" else "error")
    assert captured.value(tool_orchestrator.RUNS, outcome) == 1


async def test_a_model_that_is_down_is_told_to_who_called_it_through_the_broker(captured: Capture) -> None:
    async with running(captured) as (loom, model):
        model.close()
        result = await loom.broker.invoke(Call(GENERATE, {"prompt": CANARY}))
        told(captured, GENERATE, result, Status.ERROR, "MODEL_UNREACHABLE")


@pytest.mark.parametrize(
    "payload", [None, 5, "", {"question": CANARY}, {"prompt": object()}, [CANARY], {5: 5}]
)
async def test_a_question_that_is_none_is_refused_before_the_model_is_asked(
    captured: Capture, payload: object
) -> None:
    async with running(captured) as (loom, model):
        result = await loom.broker.invoke(Call(GENERATE, payload))
        told(captured, GENERATE, result, Status.ERROR, ErrorCode.INVALID_ARGUMENTS)
        assert model.requests == []
    assert captured.total(tool_orchestrator.RUNS) == 0


async def test_a_version_that_does_not_exist_is_told_to_the_agent_the_broker_and_who_asked(
    captured: Capture,
) -> None:
    async def ask(_: Event, context: AgentContext) -> Sequence[Action]:
        if context.envelope.topic != "task":
            return ()
        return [Action("read", capability="reader", version="2.0.0", reply_to=context.mailbox)]

    async def read(call: Call) -> object:
        return call.payload

    asking = ScriptedAgent(ask)
    async with running(captured) as (loom, _):
        for version in ("1.0.0", "1.1.0"):
            loom.broker.register(Capability("reader", version), read)
        loom.agents.create(AgentConfig("asking", topics=("task",)), asking)
        await loom.bus.publish("task", Event("question", CANARY))
        await asking.handled(2)
    answer = asking.events[1]
    assert answer.metadata["status"] == "not_found"
    message = "nothing serves reader 2.0.0, but: 1.0.0, 1.1.0"
    assert answer.payload == {"code": "NOT_FOUND", "message": message}
    result = Result.failed("NOT_FOUND", message, Status.NOT_FOUND)
    told(captured, "reader", result, Status.NOT_FOUND, "NOT_FOUND")
    assert captured.values(agent.ACTIONS_EXECUTED) == {("agent", "read", "not_found"): 1}
    (acted,) = captured.spans(agent_spans.EXECUTE_ACTION)
    assert acted.status.status_code is StatusCode.ERROR
    assert json.loads(acted.to_json())["attributes"][a.ERROR_CODE.name] == "NOT_FOUND"


@pytest.mark.parametrize("repeated", ["", "the same"])
async def test_a_capability_that_hangs_is_a_timeout_with_advice(captured: Capture, repeated: str) -> None:
    async def hang(_: Call) -> object:
        return await asyncio.Event().wait()

    async with running(captured) as (loom, _):
        loom.broker.register(Capability("slow"), hang)
        result = await loom.broker.invoke(Call("slow", CANARY, timeout=0.05, id=repeated))
        told(captured, "slow", result, Status.TIMEOUT, "TIMEOUT")
        assert result.error is not None
        assert "give the call more time" in result.error.message


async def test_nothing_of_that_name_says_how_to_get_it(captured: Capture) -> None:
    async with running(captured) as (loom, _):
        result = await loom.broker.invoke(Call("nowhere:to-be-found"))
        told(captured, "nowhere:to-be-found", result, Status.NOT_FOUND, "NOT_FOUND")
        assert result.error is not None
        assert "register it, or connect the MCP server" in result.error.message
