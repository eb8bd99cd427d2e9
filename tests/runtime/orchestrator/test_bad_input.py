"""Everything bad that can come in: outcome, code on metric and span, a message, nothing left behind."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from loom.contract import attributes as a
from loom.contract.metrics import gen_ai
from loom.contract.metrics import tool_orchestrator as m
from loom.contract.spans import tool_orchestrator as spans
from loom.runtime.orchestrator import (
    Answer,
    Code,
    Completion,
    FakeTools,
    Function,
    Invocation,
    Message,
    ModelError,
    Options,
    Orchestrator,
    Tool,
    ToolChoice,
    ToolResult,
)
from loom.runtime.orchestrator.script import Reply, Script, ScriptedCall
from loom.runtime.orchestrator.scripted import ScriptedModel, ScriptedServer
from loom.telemetry.capture import Capture

Serve = Callable[..., ScriptedServer]
Ask = Callable[..., Answer]
Drive = Callable[[Any], Any]


async def work(_: Mapping[str, Any]) -> object:
    return "done"


def check(got: Answer, captured: Capture, outcome: str, code: str) -> None:
    """The same outcome and code in the answer, on the metrics, and on the spans."""
    assert got.outcome == outcome
    assert got.failure is not None
    assert got.failure.code == code
    assert got.failure.problem.message
    assert got.failure.problem.hint
    assert captured.values(m.RUNS) == dict.fromkeys(((v,) for v in a.RUN_OUTCOME.values), 0) | {(outcome,): 1}
    (run,) = captured.spans(spans.RUN)
    assert run.status.status_code is StatusCode.ERROR
    assert run.attributes is not None
    assert run.attributes[a.RUN_OUTCOME.name] == outcome
    assert run.attributes[a.ERROR_CODE.name] == code
    assert run.attributes[a.ERROR_TYPE.name] == code


@pytest.mark.parametrize(
    ("reply", "outcome", "code"),
    [
        (Reply(fault="hang"), "timeout", "MODEL_TIMEOUT"),
        (Reply(fault="drop"), "error", "MODEL_UNREACHABLE"),
        (Reply(status=429), "error", "MODEL_RATE_LIMITED"),
        (Reply(status=500), "error", "MODEL_UNAVAILABLE"),
        (Reply(status=401), "error", "MODEL_UNAUTHORIZED"),
        (Reply(status=404), "error", "MODEL_NOT_FOUND"),
        (Reply(status=422), "error", "MODEL_REFUSED"),
        (Reply(body='{"choices": ['), "error", "MODEL_MALFORMED"),
    ],
    ids=str,
)
@pytest.mark.parametrize("http", [True, False], ids=["http", "memory"])
def test_a_bad_model_request_ends_the_run_and_is_measured_once(  # noqa: PLR0913, PLR0917 - fixtures and case
    serve: Serve,
    answer: Ask,
    drive: Drive,
    captured: Capture,
    reply: Reply,
    outcome: str,
    code: str,
    http: bool,  # noqa: FBT001 - a case
) -> None:
    options = Options(request_timeout=0.2 if reply.fault == "hang" else 30.0)
    if http:
        got = answer(serve(reply, forever=True), options=options)
    else:
        model = ScriptedModel(Script((reply,), forever=True))
        got = drive(Orchestrator(model, FakeTools({}), captured.telemetry, options).run("What?"))
    check(got, captured, outcome, code)
    assert captured.values(gen_ai.OPERATION_DURATION) == {("chat", "loom", "scripted", code): 1}
    assert captured.values(m.LLM_LATENCY) == {("plan",): 1, ("refine",): 0}
    assert captured.total(gen_ai.TOKEN_USAGE) == 0
    (chat,) = captured.spans(spans.CHAT)
    assert chat.status.status_code is StatusCode.ERROR
    assert chat.attributes is not None
    assert chat.attributes[a.ERROR_TYPE.name] == code
    assert [event.name for event in chat.events] == ["exception"]


def test_a_model_that_is_down(serve: Serve, answer: Ask, captured: Capture) -> None:
    server = serve()
    server.close()
    got = answer(server)
    check(got, captured, "error", "MODEL_UNREACHABLE")
    assert "LOOM_MODEL_BASE_URL" in str(got.failure)


def test_a_model_that_is_too_slow_for_the_whole_run(
    serve: Serve, answer: Ask, captured: Capture, no_answer: Reply
) -> None:
    check(answer(serve(no_answer), options=Options(deadline=0.2)), captured, "timeout", "DEADLINE")


def test_a_model_that_has_nothing_to_say(serve: Serve, answer: Ask, captured: Capture) -> None:
    check(answer(serve(Reply(""))), captured, "error", "MODEL_SILENT")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (Options(max_rounds=2), "ROUND_LIMIT"),
        (Options(max_calls=2), "CALL_LIMIT"),
        (Options(max_tokens=200), "TOKEN_LIMIT"),
    ],
)
def test_endless_tool_calls(
    serve: Serve, answer: Ask, captured: Capture, options: Options, code: str
) -> None:
    server = serve(Reply(calls=(ScriptedCall("work"),)), forever=True)
    got = answer(server, FakeTools({"work": work}), options)
    check(got, captured, "tool_limit", code)
    assert captured.value(m.TOOL_CALLS, "work", "ok") == 2


@pytest.mark.parametrize(
    ("call", "status", "code", "label"),
    [
        (ScriptedCall("made:up"), "not_found", "UNKNOWN_TOOL", "unknown"),
        (ScriptedCall("work", "{"), "error", "MALFORMED_ARGUMENTS", "work"),
        (ScriptedCall("burn"), "error", "ZeroDivisionError", "burn"),
        (ScriptedCall("hang"), "timeout", "TIMEOUT", "hang"),
    ],
    ids=str,
)
def test_a_bad_tool_call_is_counted_and_marked_and_the_run_goes_on(  # noqa: PLR0913, PLR0917 - fixtures and case
    serve: Serve, answer: Ask, captured: Capture, call: ScriptedCall, status: str, code: str, label: str
) -> None:
    async def burn(_: Mapping[str, Any]) -> object:
        return 1 / 0

    async def hang(_: Mapping[str, Any]) -> object:
        return await asyncio.Event().wait()

    tools = FakeTools({"work": work, "burn": burn, "hang": hang})
    options = Options(refine=False, call_timeout=0.05)
    assert answer(serve(Reply(calls=(call,)), Reply("Sorry.")), tools, options).outcome == "answered"
    assert captured.values(m.TOOL_CALLS) == {(label, status): 1}
    assert captured.values(m.TOOL_ERRORS) == {(label, code): 1}
    assert captured.values(m.TOOL_LATENCY) == {(label,): 1}
    (span,) = captured.spans(spans.EXECUTE_TOOL)
    assert span.name == f"execute_tool {label}"
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes[a.CALL_STATUS.name] == status
    assert span.attributes[a.ERROR_CODE.name] == code


def test_a_thousand_made_up_tools_do_not_spend_the_budget_of_names(
    serve: Serve, answer: Ask, captured: Capture
) -> None:
    made_up = tuple(ScriptedCall(f"made:up-{n}") for n in range(1000))
    answer(serve(Reply(calls=made_up), Reply("x")), options=Options(refine=False, max_calls=1000))
    assert captured.values(m.TOOL_CALLS) == {("unknown", "not_found"): 1000}


class Broken:
    """Tools and model client in one, both written badly."""

    model = provider = "broken"

    async def discover(self) -> Sequence[Tool]:
        message = "canary"
        raise RuntimeError(message)

    async def call(self, invocation: Invocation) -> ToolResult:
        raise RuntimeError(str(invocation))

    async def complete(
        self, messages: Sequence[Message], tools: Sequence[Function], choice: ToolChoice, within: float
    ) -> Completion:
        raise RuntimeError(str((messages, tools, choice, within)))


def test_tools_that_cannot_be_listed(serve: Serve, answer: Ask, captured: Capture) -> None:
    got = answer(serve(Reply("x")), Broken())
    check(got, captured, "error", "DISCOVERY_FAILED")
    assert isinstance(got.failure.cause if got.failure else None, RuntimeError)
    assert captured.value(m.DISCOVERY_LATENCY) == 1


def test_tools_that_are_never_listed(serve: Serve, answer: Ask, captured: Capture) -> None:
    class Silent(Broken):
        async def discover(self) -> Sequence[Tool]:
            await asyncio.Event().wait()
            return ()

    got = answer(serve(Reply("x")), Silent(), Options(call_timeout=0.05))
    check(got, captured, "timeout", "DISCOVERY_TIMEOUT")


def test_tools_that_raise(serve: Serve, answer: Ask, captured: Capture) -> None:
    class Listed(Broken):
        async def discover(self) -> Sequence[Tool]:
            return [Tool("a")]

    got = answer(serve(Reply(calls=(ScriptedCall("a"),)), Reply("x")), Listed(), Options(refine=False))
    assert got.outcome == "answered"
    assert captured.values(m.TOOL_ERRORS) == {("a", "TOOL_RAISED"): 1}


def test_tools_that_ignore_their_timeout_are_cancelled(serve: Serve, answer: Ask, captured: Capture) -> None:
    class Deaf(Broken):
        async def discover(self) -> Sequence[Tool]:
            return [Tool("a")]

        async def call(self, invocation: Invocation) -> ToolResult:
            await asyncio.Event().wait()
            raise AssertionError(invocation)

    options = Options(refine=False, call_timeout=0.05)
    got = answer(serve(Reply(calls=(ScriptedCall("a"),)), Reply("x")), Deaf(), options)
    assert got.outcome == "answered"
    assert captured.values(m.TOOL_ERRORS) == {("a", "TOOL_TIMEOUT"): 1}


@pytest.mark.parametrize("code", ["", "a whole sentence about what went wrong", "x" * 65, "ünlesbar"])
def test_an_error_code_that_is_none_is_not_recorded(
    serve: Serve, answer: Ask, captured: Capture, code: str
) -> None:
    from loom.runtime.call import Status  # noqa: PLC0415 - only this test

    class Chatty(Broken):
        async def discover(self) -> Sequence[Tool]:
            return [Tool("a")]

        async def call(self, invocation: Invocation) -> ToolResult:
            del invocation
            return ToolResult(Status.ERROR, code=code)

    answer(serve(Reply(calls=(ScriptedCall("a"),)), Reply("x")), Chatty(), Options(refine=False))
    assert captured.values(m.TOOL_ERRORS) == {("a", "ERROR"): 1}


def test_a_model_client_that_raises(drive: Drive, captured: Capture) -> None:
    got = drive(Orchestrator(Broken(), FakeTools({}), captured.telemetry).run("canary"))
    check(got, captured, "error", "INTERNAL")
    assert isinstance(got.failure.cause, RuntimeError)
    assert "canary" not in str(got.failure)
    assert "canary" not in repr(got)
    assert not any("canary" in span.to_json() for span in captured.spans())


def test_the_causes_of_a_clients_error_stay_away_from_the_span(drive: Drive, captured: Capture) -> None:
    class Chained(ScriptedModel):
        async def complete(
            self, messages: Sequence[Message], tools: Sequence[Function], choice: ToolChoice, within: float
        ) -> Completion:
            try:
                int(str((messages, tools, choice, within)))
            except ValueError as error:  # quotes what it could not read
                raise ModelError(Code.MODEL_REFUSED, "it was refused") from error
            return Completion()

    got = drive(Orchestrator(Chained(Script(())), FakeTools({}), captured.telemetry).run("canary"))
    check(got, captured, "error", "MODEL_REFUSED")
    assert not any("canary" in span.to_json() for span in captured.spans())


@pytest.mark.parametrize("where", ["model", "tool"])
def test_a_cancelled_run_leaves_nothing_behind_and_is_counted(
    drive: Drive, captured: Capture, where: str
) -> None:
    reached = asyncio.Event()
    stopped = []

    async def hang(_: Mapping[str, Any]) -> object:
        reached.set()
        try:
            return await asyncio.Event().wait()
        finally:
            stopped.append(True)

    class Watched(ScriptedModel):
        async def complete(
            self, messages: Sequence[Message], tools: Sequence[Function], choice: ToolChoice, within: float
        ) -> Completion:
            if where == "model":
                await hang({})
            return await super().complete(messages, tools, choice, within)

    async def cancel() -> None:
        model = Watched(Script((Reply(calls=(ScriptedCall("hang"), ScriptedCall("hang"))),)))
        orchestrator = Orchestrator(model, FakeTools({"hang": hang}), captured.telemetry)
        run = asyncio.create_task(orchestrator.run("What?"))
        await reached.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    drive(cancel())
    assert stopped == [True] * (1 if where == "model" else 2)
    assert captured.value(m.RUNS, "error") == 1
    (run,) = captured.spans(spans.RUN)
    assert run.attributes is not None
    assert run.attributes[a.ERROR_TYPE.name] == "CancelledError"
    error = "CANCELLED" if where == "model" else ""
    assert captured.values(gen_ai.OPERATION_DURATION) == {("chat", "loom", "scripted", error): 1}
    calls = len(stopped) if where == "tool" else 0
    assert captured.total(m.TOOL_CALLS) == captured.total(m.TOOL_ERRORS) == calls
    assert captured.total(m.TOOL_LATENCY) == calls
    called = captured.spans(spans.EXECUTE_TOOL)
    assert len(called) == calls
    for span in called:
        attributes = dict(span.attributes or {})
        assert attributes.pop(a.CALL_ID.name)
        assert attributes == {
            a.TOOL_NAME.name: "hang",
            a.CALL_STATUS.name: "error",
            a.ERROR_TYPE.name: "CancelledError",
            a.ERROR_CODE.name: "CANCELLED",
        }
    if calls:
        assert captured.value(m.TOOL_CALLS, "hang", "error") == calls
        assert captured.value(m.TOOL_ERRORS, "hang", "CANCELLED") == calls
