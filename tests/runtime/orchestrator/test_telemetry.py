"""What a run tells about itself, with the real broker below it; and what it keeps to itself."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.metrics import gen_ai
from loom.contract.metrics import tool_orchestrator as m
from loom.contract.span import Span
from loom.contract.spans import action_broker
from loom.contract.spans import tool_orchestrator as spans
from loom.runtime import ActionBroker, Call, Capability, ErrorCode, Result
from loom.runtime.orchestrator import Answer, BrokerTools, Endpoint, Options, Orchestrator, Usage
from loom.runtime.orchestrator.script import Reply, ScriptedCall
from loom.runtime.orchestrator.scripted import ScriptedServer
from loom.telemetry.capture import Capture

Serve = Callable[..., ScriptedServer]
Drive = Callable[[Any], Any]
CANARY = "canary-4f1c"
KEY = "sk-canary-4f1c"


async def read(call: Call) -> object:
    return f"{CANARY} {call.payload}"


async def refuse(_: Call) -> object:
    return Result.failed("DENIED", f"{CANARY} may not be read")


def tree(captured: Capture) -> dict[str, list[str]]:
    """Span name → the names of its children, sorted."""
    names = {span.context.span_id: span.name for span in captured.spans()}
    children: dict[str, list[str]] = {name: [] for name in names.values()}
    for span in captured.spans():
        if span.parent is not None:
            children[names[span.parent.span_id]].append(span.name)
    return {name: sorted(below) for name, below in children.items()}


async def talk(
    server: ScriptedServer, captured: Capture, options: Options, *, capture_content: bool = False
) -> Answer:
    """One run with two capabilities of a real broker."""
    async with (
        ActionBroker(captured.telemetry) as broker,
        Endpoint(server.settings(api_key=KEY)) as model,
    ):
        broker.register(Capability("filesystem:read", description="Reads.", schema={"type": "object"}), read)
        broker.register(Capability("filesystem:refuse"), refuse)
        orchestrator = Orchestrator(
            model, BrokerTools(broker), captured.telemetry, options, capture_content=capture_content
        )
        return await orchestrator.run(f"{CANARY} question")


SCRIPT = (
    Reply(
        f"{CANARY} thinking",
        calls=(
            ScriptedCall("filesystem:read", {"path": CANARY}),
            ScriptedCall("filesystem:refuse", {"path": CANARY}),
            ScriptedCall("filesystem:read", f'{{"path": {CANARY}'),
            ScriptedCall(f"{CANARY}:unknown", {CANARY: 1}),
        ),
        usage=Usage(100, 50),
    ),
    Reply(f"{CANARY} draft", usage=Usage(200, 10)),
    Reply(f"{CANARY} answer", usage=None),
)


def test_the_trace_shows_the_run_its_requests_and_its_calls_down_to_the_broker(
    serve: Serve, drive: Drive, captured: Capture
) -> None:
    assert drive(talk(serve(*SCRIPT), captured, Options())).text == f"{CANARY} answer"
    assert tree(captured) == {
        "register_provider": [],
        "run": [
            *["chat scripted"] * 3,
            *["execute_tool filesystem:read"] * 2,
            "execute_tool filesystem:refuse",
            "execute_tool unknown",
        ],
        "chat scripted": [],
        "execute_tool filesystem:read": ["invoke"],
        "execute_tool filesystem:refuse": ["invoke"],
        "execute_tool unknown": [],
        "invoke": [],
    }
    ids = {
        span.attributes[a.CALL_ID.name] for span in captured.spans(action_broker.INVOKE) if span.attributes
    }
    assert ids < {
        span.attributes[a.CALL_ID.name] for span in captured.spans(spans.EXECUTE_TOOL) if span.attributes
    }
    assert len({span.context.trace_id for span in captured.spans() if span.name != "register_provider"}) == 1


def _misfits(span: ReadableSpan, definition: Span) -> set[str]:
    """Attributes that are missing, and attributes that the contract does not know."""
    found = set(span.attributes or {})
    always = {attribute.name for attribute in definition.attributes}
    allowed = (
        always
        | {attribute.name for attribute in definition.optional}
        | {a.ERROR_TYPE.name, a.ERROR_CODE.name}
    )
    return (always - found) | (found - allowed)


@pytest.mark.parametrize("definition", spans.ALL, ids=lambda definition: definition.name)
def test_every_span_has_the_attributes_and_kind_of_the_contract_and_a_status(
    serve: Serve, drive: Drive, captured: Capture, definition: Span
) -> None:
    drive(talk(serve(*SCRIPT, forever=True), captured, Options(), capture_content=True))
    found = captured.spans(definition)
    assert found
    for span in found:
        assert _misfits(span, definition) == set()
        assert span.kind.name.lower() == definition.kind
        assert span.status.status_code in {StatusCode.OK, StatusCode.ERROR}


def test_every_metric_is_recorded_once_for_what_it_counts(
    serve: Serve, drive: Drive, captured: Capture
) -> None:
    drive(talk(serve(*SCRIPT), captured, Options()))
    tool, denied = "filesystem:read", "filesystem:refuse"
    assert captured.value(m.RUNS, "answered") == captured.total(m.RUNS) == 1
    assert captured.values(m.TOOL_CALLS) == {
        (tool, "ok"): 1,
        (tool, "error"): 1,
        (denied, "error"): 1,
        ("unknown", "not_found"): 1,
    }
    assert captured.values(m.TOOL_ERRORS) == {
        (tool, "MALFORMED_ARGUMENTS"): 1,
        (denied, "DENIED"): 1,
        ("unknown", "UNKNOWN_TOOL"): 1,
    }
    assert captured.values(m.TOOL_LATENCY) == {(tool,): 2, (denied,): 1, ("unknown",): 1}
    assert captured.values(m.LLM_LATENCY) == {("plan",): 2, ("refine",): 1}
    assert captured.value(m.REFINE_CYCLES) == 1
    assert captured.value(m.DISCOVERY_LATENCY) == 1
    request = ("chat", "loom", "scripted")
    assert captured.values(gen_ai.OPERATION_DURATION) == {(*request, ""): 3}
    # The refine response reported no usage.
    assert captured.values(gen_ai.TOKEN_USAGE) == {(*request, "input"): 2, (*request, "output"): 2}


def test_tokens_are_counted_and_not_timed(serve: Serve, drive: Drive, captured: Capture) -> None:
    drive(talk(serve(*SCRIPT), captured, Options()))
    points = captured.points(gen_ai.TOKEN_USAGE)
    sums = {
        labels[-1]: point.sum for labels, point in points.items() if isinstance(point, HistogramDataPoint)
    }
    assert sums == {"input": 300, "output": 60}
    usage = [
        (span.attributes.get(a.INPUT_TOKENS.name), span.attributes.get(a.OUTPUT_TOKENS.name))
        for span in captured.spans(spans.CHAT)
        if span.attributes
    ]
    assert usage == [(100, 50), (200, 10), (None, None)]


def test_latencies_lead_to_their_traces(serve: Serve, drive: Drive, captured: Capture) -> None:
    drive(talk(serve(*SCRIPT), captured, Options()))
    (run,) = captured.spans(spans.RUN)
    for metric in (m.TOOL_LATENCY, m.LLM_LATENCY, m.DISCOVERY_LATENCY, gen_ai.OPERATION_DURATION):
        points = captured.points(metric).values()
        traces = {exemplar.trace_id for point in points for exemplar in point.exemplars}
        assert traces == {run.context.trace_id}, metric.name


def _everything(captured: Capture) -> str:
    """Every span of ours with all it carries, and every metric, as text."""
    ours = [span for span in captured.spans() if span.instrumentation_scope]
    return "".join(span.to_json() for span in ours) + repr(captured.metrics())


@pytest.mark.parametrize(
    "script",
    [
        SCRIPT,
        (Reply(body=f"{CANARY} is no JSON"),),
        (Reply(body=json.dumps({"choices": [{"message": {"tool_calls": CANARY}}]})),),
        (Reply(status=400, body=json.dumps({"error": {"message": CANARY, "code": CANARY}})),),
        (Reply(status=401, body=CANARY),),
        (Reply(status=400, headers={"X-Canary": CANARY}),),
        (Reply(calls=(ScriptedCall("filesystem:read", {"path": CANARY}, id=CANARY),)), Reply(CANARY)),
    ],
    ids=["tools", "no JSON", "no completion", "error body", "unauthorized", "header", "call id"],
)
def test_no_prompt_answer_argument_result_or_key_is_in_any_span_metric_or_log(
    serve: Serve,
    drive: Drive,
    captured: Capture,
    script: tuple[Reply, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    server = serve(*script)
    drive(talk(server, captured, Options()))
    assert CANARY in json.dumps(server.requests[0].body)  # it really was there to leak
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert len(captured.spans(spans.CHAT)) >= 1
    assert CANARY not in _everything(captured)
    assert CANARY not in caplog.text


def test_content_is_on_the_spans_when_somebody_asked_for_it(
    serve: Serve, drive: Drive, captured: Capture
) -> None:
    drive(talk(serve(*SCRIPT), captured, Options(), capture_content=True))
    first = captured.spans(spans.CHAT)[0].attributes or {}
    assert json.loads(str(first[a.INPUT_MESSAGES.name])) == [
        {"role": "user", "parts": [{"type": "text", "content": f"{CANARY} question"}]}
    ]
    (completion,) = json.loads(str(first[a.OUTPUT_MESSAGES.name]))
    assert completion["finish_reason"] == "tool_call"
    assert [part["type"] for part in completion["parts"]] == ["text", *["tool_call"] * 4]
    tools = {
        span.attributes[a.TOOL_ARGUMENTS.name]
        for span in captured.spans(spans.EXECUTE_TOOL)
        if span.attributes
    }
    assert json.dumps({"path": CANARY}) in tools
    results = [
        str((span.attributes or {})[a.TOOL_RESULT.name]) for span in captured.spans(spans.EXECUTE_TOOL)
    ]
    assert any(text.startswith(f"{CANARY} {{") for text in results)
    assert KEY not in _everything(captured)


def test_everything_that_is_recorded_is_in_the_contract(
    serve: Serve, drive: Drive, captured: Capture
) -> None:
    drive(talk(serve(*SCRIPT), captured, Options()))
    ours = {name for scope, name in captured.metrics() if scope == scopes.TOOL_ORCHESTRATOR}
    assert ours == {metric.name for metric in (*m.ALL, *gen_ai.ALL)}


def test_an_unsampled_run_is_counted_all_the_same(serve: Serve, drive: Drive) -> None:
    from loom.telemetry import Sampling, Settings  # noqa: PLC0415 - only this test
    from loom.telemetry.capture import capture  # noqa: PLC0415 - only this test

    with capture(Settings(sampling=Sampling(0))) as captured:
        drive(talk(serve(*SCRIPT), captured, Options(), capture_content=True))
        assert captured.spans() == []
        assert captured.value(m.RUNS, "answered") == 1


def test_the_broker_offers_the_highest_version_of_what_is_selected(drive: Drive, captured: Capture) -> None:
    async def listed() -> list[str]:
        async with ActionBroker(captured.telemetry) as broker:
            for version in ("1.10.0", "1.9.0"):
                broker.register(Capability("a", version, description=version), read)
            broker.register(Capability("llm.generate"), read)
            tools = BrokerTools(broker, lambda capability: capability.name != "llm.generate")
            return [tool.description for tool in await tools.discover()]

    assert drive(listed()) == ["1.10.0"]


def test_a_capability_that_goes_away_during_a_run_is_an_error_of_its_call(
    serve: Serve, drive: Drive, captured: Capture
) -> None:
    async def vanish(server: ScriptedServer) -> Answer:
        async with ActionBroker(captured.telemetry) as broker, Endpoint(server.settings()) as model:
            tools = BrokerTools(broker)

            async def leave(_: Call) -> object:
                broker.unregister("leave")
                return "gone"

            broker.register(Capability("leave"), leave)
            options = Options(refine=False)
            return await Orchestrator(model, tools, captured.telemetry, options).run("Leave.")

    ask = Reply(calls=(ScriptedCall("leave"),))
    got = drive(vanish(serve(ask, ask, Reply("Gone."))))
    assert [(one.status, one.code) for one in got.calls] == [("ok", ""), ("not_found", ErrorCode.NOT_FOUND)]
    assert got.outcome == "answered"
