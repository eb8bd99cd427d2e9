"""The action broker: which version, what result, and how it is counted."""

import asyncio
import contextlib

import pytest
from opentelemetry.trace import StatusCode, get_current_span

from loom.contract.metrics import action_broker as m
from loom.contract.spans import action_broker as spans
from loom.errors import LoomRuntimeError
from loom.runtime import (
    ActionBroker,
    BrokerLimits,
    Call,
    CallError,
    Capability,
    ErrorCode,
    ProviderType,
    Result,
    Status,
)
from loom.telemetry import Telemetry
from loom.telemetry.capture import Capture

pytestmark = pytest.mark.anyio


class Recorder:
    """A provider that answers when its gate is open, and remembers who called."""

    def __init__(self, answer: object = "done") -> None:
        """Open."""
        self.answer = answer
        self.calls: list[str] = []
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, call: Call) -> object:
        """Answer, raise, or wait."""
        self.calls.append(call.id)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_call_gets_what_its_provider_returns(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("echo"), Recorder({"a": 1}))
        result = await broker.invoke(Call("echo"))
        assert (result.status, result.output, result.error, result.ok) == (Status.OK, {"a": 1}, None, True)
    assert captured.values(m.INVOCATIONS) == {("echo", "ok"): 1}
    assert captured.values(m.INVOKE_LATENCY) == {("echo",): 1}
    assert captured.total(m.ERRORS) == 0


@pytest.mark.parametrize(
    ("wanted", "served"),
    [
        ("", "1.2.0"),
        ("1.0.0", "1.0.0"),
        ("1", "1.2.0"),
        ("1.0", "1.0.1"),
        ("^1.0.1", "1.2.0"),
        ("^0.3", "0.3.1"),
    ],
)
async def test_a_call_gets_the_best_version_that_fits(wanted: str, served: str, captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        for version in ("1.0.0", "1.2.0", "1.0.1", "2.0.0-rc.1", "0.3.1", "0.4.0"):
            broker.register(Capability("echo", version), Recorder(version))
        assert (await broker.invoke(Call("echo", version=wanted))).output == served
    assert (captured.spans(spans.INVOKE)[0].attributes or {})["version"] == served


@pytest.mark.parametrize("call", [Call("nope"), Call("echo", version="3.0.0")])
async def test_what_nobody_serves_is_a_status_and_no_exception(call: Call, captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("echo"), Recorder())
        result = await broker.invoke(call)
        assert result.status is Status.NOT_FOUND
        assert result.error is not None
        assert result.error.code == ErrorCode.NOT_FOUND
    assert captured.values(m.INVOCATIONS) == {(call.capability, "not_found"): 1}
    assert captured.values(m.ERRORS) == {(call.capability, "NOT_FOUND"): 1}
    assert captured.total(m.INVOKE_LATENCY) == 0


async def test_an_exception_becomes_a_result_and_is_recorded(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("bad"), Recorder(ConnectionError("no route")))
        result = await broker.invoke(Call("bad"))
        assert result.error == CallError("CAPABILITY_ERROR", "no route")
    assert captured.values(m.ERRORS) == {("bad", "CAPABILITY_ERROR"): 1}
    (span,) = captured.spans(spans.INVOKE)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "ConnectionError"
    assert [event.name for event in span.events] == ["exception"]


class MuteError(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        """Fail."""
        raise KeyError


@pytest.mark.parametrize("identity", ["", "same"])
async def test_an_exception_without_a_text_becomes_a_result_too(identity: str, captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("bad"), Recorder(MuteError()))
        result = await broker.invoke(Call("bad", id=identity))
        assert result.error == CallError("CAPABILITY_ERROR", "MuteError without a text")


async def test_a_returned_error_counts_as_one(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("limited"), Recorder(Result.failed("RATE_LIMIT", "later")))
        assert (await broker.invoke(Call("limited"))).status is Status.ERROR
    assert captured.values(m.ERRORS) == {("limited", "RATE_LIMIT"): 1}
    assert captured.values(m.INVOCATIONS) == {("limited", "error"): 1}


async def test_text_that_is_no_code_is_not_recorded_as_one(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("chatty"), Recorder(Result.failed("The user's password is 1234")))
        await broker.invoke(Call("chatty"))
    assert captured.values(m.ERRORS) == {("chatty", "CAPABILITY_ERROR"): 1}
    (span,) = captured.spans(spans.INVOKE)
    assert "password" not in str(span.attributes)


async def test_a_call_past_its_deadline_is_a_timeout_and_its_provider_is_stopped(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        provider = Recorder()
        provider.gate.clear()
        broker.register(Capability("slow"), provider)
        result = await broker.invoke(Call("slow", timeout=0.01))
        await settle()
        assert result.status is Status.TIMEOUT
        assert provider.cancelled == 1
    assert captured.values(m.TIMEOUTS) == {("slow",): 1}
    assert captured.values(m.ERRORS) == {("slow", "TIMEOUT"): 1}
    assert captured.values(m.INVOKE_LATENCY) == {("slow",): 1}


async def test_a_provider_s_own_timeout_error_is_an_error_and_no_timeout(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("bad"), Recorder(TimeoutError("inside")))
        assert (await broker.invoke(Call("bad"))).status is Status.ERROR
    assert captured.total(m.TIMEOUTS) == 0


async def test_a_finished_success_is_replayed_by_its_call_id(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        provider = Recorder()
        broker.register(Capability("echo"), provider)
        broker.register(Capability("other"), provider)
        for capability in ("echo", "echo", "other"):
            assert (await broker.invoke(Call(capability, id="same"))).ok
        assert len(provider.calls) == 2
    assert captured.values(m.CACHE_HITS) == {("echo",): 1}
    assert captured.values(m.INVOCATIONS) == {("echo", "ok"): 2, ("other", "ok"): 1}
    assert [(span.attributes or {})["cache_hit"] for span in captured.spans(spans.INVOKE)] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "answer", [ConnectionError("x"), Result.failed("X"), Result.failed("T", status=Status.TIMEOUT)]
)
async def test_a_failure_is_never_replayed(answer: object) -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        provider = Recorder(answer)
        broker.register(Capability("echo"), provider)
        assert not (await broker.invoke(Call("echo", id="same"))).ok
        provider.answer = "fine now"
        assert (await broker.invoke(Call("echo", id="same"))).output == "fine now"


async def test_a_call_without_an_id_is_never_replayed_nor_kept() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        provider = Recorder()
        broker.register(Capability("echo"), provider)
        for _ in range(3):
            await broker.invoke(Call("echo"))
        assert len(set(provider.calls)) == 3
        assert len(broker._cache) == 0


async def test_a_result_that_is_to_be_forgotten_is_not_replayed() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        provider, call = Recorder(), Call("echo", id="same")
        broker.register(Capability("echo"), provider)
        for _ in range(2):
            await broker.invoke(call)
            broker.forget(call)
            broker.forget(call)
        assert len(provider.calls) == 2
        assert len(broker._cache) == 0


async def test_a_broker_that_keeps_no_results_replays_none() -> None:
    async with ActionBroker(Telemetry.disabled(), BrokerLimits(results=0)) as broker:
        provider = Recorder()
        broker.register(Capability("echo"), provider)
        for _ in range(2):
            await broker.invoke(Call("echo", id="same"))
        assert len(provider.calls) == 2


async def test_calls_with_one_id_at_the_same_time_run_once(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker, asyncio.TaskGroup() as group:
        provider = Recorder()
        provider.gate.clear()
        broker.register(Capability("echo"), provider)
        calls = [group.create_task(broker.invoke(Call("echo", id="same"))) for _ in range(3)]
        await settle()
        provider.gate.set()
        assert [(await call).output for call in calls] == ["done"] * 3
        assert len(provider.calls) == 1
    assert captured.values(m.CACHE_HITS) == {("echo",): 2}
    assert captured.values(m.INVOKE_LATENCY) == {("echo",): 1}


@pytest.mark.parametrize("leaving", [0, 1])
async def test_a_caller_that_is_cancelled_leaves_the_call_to_the_other(
    leaving: int, captured: Capture
) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        provider = Recorder()
        provider.gate.clear()
        broker.register(Capability("echo"), provider)
        calls = [asyncio.ensure_future(broker.invoke(Call("echo", id="same"))) for _ in range(2)]
        await settle()
        calls[leaving].cancel()
        await settle()
        provider.gate.set()
        assert (await calls[1 - leaving]).ok
        assert provider.cancelled == 0
        with pytest.raises(asyncio.CancelledError):
            await calls[leaving]
    assert captured.values(m.INVOCATIONS) == {("echo", "ok"): 1, ("echo", "error"): 1}
    assert captured.values(m.ERRORS) == {("echo", "CANCELLED"): 1}


async def given_up(broker: ActionBroker) -> tuple[Recorder, asyncio.Future[Result]]:
    """A provider that is at its work, and the call of it, id `same`, that has just been cancelled."""
    provider = Recorder()
    provider.gate.clear()
    broker.register(Capability("echo"), provider)
    call = asyncio.ensure_future(broker.invoke(Call("echo", id="same")))
    await settle()
    call.cancel()
    return provider, call


async def test_a_call_that_nobody_waits_for_any_more_is_stopped(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        provider, _ = await given_up(broker)
        await settle()
        assert provider.cancelled == 1
        provider.gate.set()
        assert (await broker.invoke(Call("echo", id="same"))).ok
        assert broker._running == {}


async def test_a_call_that_is_cancelled_before_its_first_step_leaves_nothing_behind() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        provider = Recorder()
        broker.register(Capability("echo"), provider)
        call = asyncio.ensure_future(broker.invoke(Call("echo", id="same")))
        await asyncio.sleep(0)
        call.cancel()
        await settle()
        assert broker._running == {}
        assert (await broker.invoke(Call("echo", id="same"))).ok


async def test_a_call_that_is_repeated_while_the_first_is_being_stopped_is_a_new_one() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        provider, call = await given_up(broker)
        with pytest.raises(asyncio.CancelledError):
            await call
        provider.gate.set()
        assert (await broker.invoke(Call("echo", id="same"))).output == "done"
        assert len(provider.calls) == 2
        await settle()
        assert broker._running == {}
        assert broker._executions == set()


@pytest.mark.parametrize("leisure", [0, 50], ids=["ends at once", "cleans up for a while"])
async def test_a_call_that_is_repeated_right_after_its_timeout_is_a_new_one(
    leisure: int, captured: Capture
) -> None:
    calls: list[str] = []

    async def serve(call: Call) -> str:
        calls.append(call.id)
        if len(calls) > 1:
            return "fine"
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(leisure):
                await asyncio.sleep(0)
        return "never"

    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("slow"), serve)
        assert (await broker.invoke(Call("slow", id="same", timeout=0.01))).status is Status.TIMEOUT
        assert (await broker.invoke(Call("slow", id="same", timeout=5))).output == "fine"
        assert (await broker.invoke(Call("slow", id="same", timeout=5))).output == "fine"
    assert len(calls) == 2
    assert captured.values(m.CACHE_HITS) == {("slow",): 1}
    assert captured.values(m.INVOKE_LATENCY) == {("slow",): 2}


@pytest.mark.parametrize(
    ("answer", "served"), [("done", 1), (ConnectionError("x"), 2)], ids=["a success", "a failure"]
)
async def test_a_caller_that_comes_as_the_provider_ends_gets_a_success_and_tries_a_failure_again(
    answer: object, served: int
) -> None:
    async with ActionBroker(Telemetry.disabled()) as broker, asyncio.TaskGroup() as group:
        provider = Recorder(answer)
        provider.gate.clear()
        broker.register(Capability("echo"), provider)
        first = group.create_task(broker.invoke(Call("echo", id="same", timeout=5)))
        await settle()
        provider.gate.set()
        second = group.create_task(broker.invoke(Call("echo", id="same", timeout=6)))
        assert (await first).status is (await second).status
        assert len(provider.calls) == served


async def test_leaving_the_broker_also_stops_what_does_not_stop_at_its_deadline() -> None:
    stops = 0

    async def resist(_: Call) -> str:
        nonlocal stops
        for _turn in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                stops += 1
        return "at last"

    async with asyncio.timeout(20), ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("slow"), resist)
        assert (await broker.invoke(Call("slow", id="same", timeout=0.01))).status is Status.TIMEOUT
        broker.unregister("slow")
        broker.register(Capability("slow"), Recorder())
        assert (await broker.invoke(Call("slow", id="same"))).ok
    assert stops == 2


@pytest.mark.parametrize("identity", ["", "same"], ids=["in its caller's task", "in a task of its own"])
@pytest.mark.parametrize("insist", [False, True], ids=["in time", "at once"])
async def test_a_provider_that_cannot_be_stopped_is_left_behind(
    captured: Capture, caplog: pytest.LogCaptureFixture, *, identity: str, insist: bool
) -> None:
    begun, released = asyncio.Event(), asyncio.Event()

    async def resist(_: Call) -> None:
        begun.set()
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()

    async def enter_and_leave() -> None:
        limits = BrokerLimits(stop_seconds=600.0 if insist else 0.01)
        async with ActionBroker(captured.telemetry, limits) as broker:
            broker.register(Capability("slow"), resist)
            calls.append(asyncio.create_task(broker.invoke(Call("slow", id=identity)), name="caller"))
            await begun.wait()

    calls: list[asyncio.Task[Result]] = []
    leaving = asyncio.create_task(enter_and_leave())
    try:
        await begun.wait()
        await settle()
        if insist:  # as a second signal does
            leaving.cancel()
        done, _ = await asyncio.wait({leaving}, timeout=20)
        assert done
        assert leaving.cancelled() is insist
        assert captured.total(m.REGISTERED_CAPABILITIES) == 0
        name = "call of slow" if identity else "caller"
        told = f"{name} resists being stopped and is left behind" in caplog.text
        assert told is (bool(identity) or not insist)
    finally:
        released.set()
        await asyncio.wait({leaving, *calls}, timeout=20)


async def test_each_caller_has_its_own_deadline() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker, asyncio.TaskGroup() as group:
        provider = Recorder()
        provider.gate.clear()
        broker.register(Capability("slow"), provider)
        hasty = group.create_task(broker.invoke(Call("slow", id="same", timeout=0.01)))
        patient = group.create_task(broker.invoke(Call("slow", id="same", timeout=60)))
        assert (await hasty).status is Status.TIMEOUT
        assert provider.cancelled == 0
        provider.gate.set()
        assert (await patient).ok


async def test_leaving_the_broker_stops_what_runs_and_lowers_the_gauge(captured: Capture) -> None:
    provider = Recorder()
    provider.gate.clear()
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("slow"), provider)
        call = asyncio.ensure_future(broker.invoke(Call("slow")))
        await settle()
    result = await call
    assert result.error is not None
    assert result.error.code == ErrorCode.CLOSED
    assert provider.cancelled == 1
    assert captured.total(m.REGISTERED_CAPABILITIES) == 0
    late = await broker.invoke(Call("slow"))
    assert late.error is not None
    assert late.error.code == ErrorCode.CLOSED
    with pytest.raises(LoomRuntimeError, match="closed"):
        broker.register(Capability("slow"), provider)


async def test_the_gauge_of_capabilities_keeps_through_replacement_and_falls_on_unregister(
    captured: Capture,
) -> None:
    def registered() -> dict[str, float]:
        values = captured.values(m.REGISTERED_CAPABILITIES)
        return {kind: value for (kind,), value in values.items() if value}

    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("a", "1.0.0"), Recorder(1))
        broker.register(Capability("a", "2.0.0"), Recorder(2))
        assert registered() == {"native": 2}
        broker.register(Capability("a", "2.0.0"), Recorder(3))
        assert registered() == {"native": 2}
        broker.register(Capability("a", "2.0.0", ProviderType.MCP), Recorder(4))
        assert registered() == {"native": 1, "mcp": 1}
        assert (await broker.invoke(Call("a"))).output == 4
        assert [capability.version for capability in broker.capabilities()] == ["1.0.0", "2.0.0"]
        assert broker.unregister("a", "2.0.0") == 1
        assert broker.unregister("a", "2.0.0") == 0
        assert registered() == {"native": 1}
        assert broker.unregister("a") == 1
        assert registered() == {}


async def test_a_provider_runs_in_the_trace_of_its_call(captured: Capture) -> None:
    seen: list[int] = []

    async def look(_: Call) -> None:
        seen.append(get_current_span().get_span_context().span_id)

    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("look"), look)
        await broker.invoke(Call("look"))
    (exemplar,) = captured.histogram(m.INVOKE_LATENCY, "look").exemplars
    (span,) = captured.spans(spans.INVOKE)
    assert span.context is not None
    assert exemplar.span_id == span.context.span_id
    assert seen == [span.context.span_id]


async def test_payloads_are_never_recorded(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("echo"), Recorder("secret answer"))
        await broker.invoke(Call("echo", "secret question", headers={"token": "secret"}))
    assert all("secret" not in span.to_json() for span in captured.spans())


async def test_names_that_models_make_up_cannot_take_the_whole_budget(captured: Capture) -> None:
    budget = m.INVOCATIONS.attributes[0].budget
    async with ActionBroker(captured.telemetry) as broker:
        for number in range(budget):
            await broker.invoke(Call(f"made-up-{number}"))
        broker.register(Capability("real"), Recorder())
        await broker.invoke(Call("real"))
    assert captured.value(m.INVOCATIONS, "real", "ok") == 1
    assert captured.value(m.INVOCATIONS, "other", "not_found") == budget // 2


async def test_invoking_from_another_thread_is_refused() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        refused: list[LoomRuntimeError] = []

        def invoke() -> None:
            try:
                asyncio.run(broker.invoke(Call("x")))
            except LoomRuntimeError as error:
                refused.append(error)

        await asyncio.to_thread(invoke)
        assert "another thread" in str(refused[0])


async def test_a_broker_that_was_not_entered_says_so() -> None:
    with pytest.raises(LoomRuntimeError, match="async with"):
        await ActionBroker(Telemetry.disabled()).invoke(Call("x"))


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
async def test_a_deadline_that_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(LoomRuntimeError, match="positive number of seconds"):
        Call("x", timeout=seconds)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 257])
async def test_a_capability_needs_a_name(name: str) -> None:
    with pytest.raises(LoomRuntimeError, match="cannot name"):
        Capability(name)
