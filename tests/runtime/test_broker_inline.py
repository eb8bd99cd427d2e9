"""Calls without an id run in their caller's own task: deadline, cancellation and closing are told apart."""

import asyncio
import logging
from collections.abc import Callable

import anyio
import pytest
from opentelemetry.trace import StatusCode

from loom.contract import attributes as a
from loom.contract.metrics import action_broker as m
from loom.contract.spans import action_broker as spans
from loom.runtime import ActionBroker, Call, Capability, ErrorCode, Provider, Result, Status
from loom.runtime.deadlines import SPARE, Deadlines
from loom.telemetry import Sampling, Settings, Telemetry
from loom.telemetry.capture import Capture

pytestmark = pytest.mark.anyio


async def forever(_: Call) -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


def swallowing(make: Callable[[], object]) -> Provider:
    """A provider that goes on after it was cancelled."""

    async def swallow(_: Call) -> object:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return make()

    return swallow


async def turn_round(_: Call) -> str:
    """Return at once when cancelled."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "done"
    return "never"


def fail() -> object:
    message = "cleaning up failed"
    raise OSError(message)


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def cancelling() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


async def test_a_provider_runs_in_the_task_of_its_caller_and_leaves_nothing_behind() -> None:
    tasks: list[object] = []

    async def look(_: Call) -> None:
        tasks.append(asyncio.current_task())

    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("look"), look)
        for _ in range(3 * SPARE):
            assert (await broker.invoke(Call("look"))).ok
        assert set(tasks) == {asyncio.current_task()}
        assert broker._deadlines._line == []


async def test_a_deadline_leaves_the_task_of_the_caller_as_it_was(captured: Capture) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("slow"), forever)
        result = await broker.invoke(Call("slow", timeout=0.01))
        assert result == Result.failed(ErrorCode.TIMEOUT, status=Status.TIMEOUT)
        assert cancelling() == 0
        await asyncio.sleep(0)
    (span,) = captured.spans(spans.INVOKE)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})[a.ERROR_TYPE.name] == "TimeoutError"
    assert (span.attributes or {})[a.ERROR_CODE.name] == "TIMEOUT"


@pytest.mark.parametrize("make", [lambda: "too late", fail], ids=["returns", "raises"])
async def test_what_a_provider_makes_of_its_deadline_comes_too_late(
    make: Callable[[], object], captured: Capture
) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("stubborn"), swallowing(make))
        assert (await broker.invoke(Call("stubborn", timeout=0.01))).status is Status.TIMEOUT
        assert cancelling() == 0
    assert captured.values(m.TIMEOUTS) == {("stubborn",): 1}
    assert captured.values(m.ERRORS) == {("stubborn", "TIMEOUT"): 1}
    assert captured.values(m.INVOKE_LATENCY) == {("stubborn",): 1}


@pytest.mark.parametrize(
    "provider", [forever, swallowing(lambda: "done"), swallowing(fail)], ids=["lets go", "returns", "raises"]
)
async def test_a_caller_that_is_cancelled_is_cancelled_whatever_the_provider_makes_of_it(
    provider: Provider, captured: Capture
) -> None:
    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("slow"), provider)
        caller = asyncio.ensure_future(broker.invoke(Call("slow")))
        await settle()
        caller.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert broker._deadlines._line == []
    assert captured.values(m.INVOCATIONS) == {("slow", "error"): 1}
    assert captured.values(m.ERRORS) == {("slow", "CANCELLED"): 1}
    assert captured.values(m.INVOKE_LATENCY) == {("slow",): 1}
    (span,) = captured.spans(spans.INVOKE)
    assert span.status.status_code is StatusCode.ERROR


async def test_a_cancellation_that_comes_with_the_deadline_is_not_lost() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        callers: list[asyncio.Task[Result]] = []

        async def cancel_twice(_: Call) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                callers[0].cancel()
                raise

        broker.register(Capability("slow"), cancel_twice)
        callers.append(asyncio.ensure_future(broker.invoke(Call("slow", timeout=0.01))))
        with pytest.raises(asyncio.CancelledError):
            await callers[0]


async def test_a_cancellation_that_was_asked_for_before_the_call_is_not_lost() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("slow"), forever)

        async def call() -> Result:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return await broker.invoke(Call("slow"))

        with pytest.raises(asyncio.CancelledError):
            await asyncio.ensure_future(call())


async def test_a_provider_that_raises_a_cancellation_does_not_cancel_its_caller(captured: Capture) -> None:
    async def give_up(_: Call) -> None:
        raise asyncio.CancelledError

    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("gone"), give_up)
        assert await broker.invoke(Call("gone")) == Result.failed(ErrorCode.CANCELLED)
    assert captured.values(m.ERRORS) == {("gone", "CANCELLED"): 1}


async def test_an_error_is_the_result_s_and_says_where_it_was_raised(captured: Capture) -> None:
    async def broken(_: Call) -> object:
        return fail()

    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("bad"), broken)
        result = await broker.invoke(Call("bad"))
        assert result == Result.failed(ErrorCode.CAPABILITY_ERROR, "cleaning up failed")
        assert broker._deadlines._line == []
    (span,) = captured.spans(spans.INVOKE)
    assert "in fail" in str((span.events[0].attributes or {})["exception.stacktrace"])


@pytest.mark.parametrize(("outer", "inner"), [(0.01, 60), (60, 0.01), (0.01, 0.01)])
async def test_of_nested_calls_each_has_its_own_deadline(outer: float, inner: float) -> None:
    results: list[Result] = []

    async with ActionBroker(Telemetry.disabled()) as broker:

        async def call_another(_: Call) -> Result:
            results.append(await broker.invoke(Call("slow", timeout=inner)))
            return results[0]

        broker.register(Capability("slow"), forever)
        broker.register(Capability("outer"), call_another)
        assert (await broker.invoke(Call("outer", timeout=outer))).status is Status.TIMEOUT
        assert bool(results) is (inner < outer)
        assert cancelling() == 0


@pytest.mark.parametrize("patience", [0.01, 60])
async def test_a_timeout_around_a_call_and_the_call_s_own_are_told_apart(patience: float) -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("slow"), forever)
        if patience < 1:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(patience):
                    await broker.invoke(Call("slow"))
        else:
            async with asyncio.timeout(patience):
                result = await broker.invoke(Call("slow", timeout=0.01))
            assert result.status is Status.TIMEOUT


@pytest.mark.parametrize("provider", [forever, swallowing(lambda: "done"), turn_round])
async def test_a_scope_of_anyio_takes_its_cancellation_back_from_a_call(
    provider: Provider,
) -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("slow"), provider)
        with anyio.move_on_after(0.01) as scope:
            await broker.invoke(Call("slow"))
        assert scope.cancelled_caught
        await asyncio.sleep(0)


async def test_calls_run_into_their_deadlines_in_the_order_of_these() -> None:
    ended: list[float] = []
    async with ActionBroker(Telemetry.disabled()) as broker, asyncio.TaskGroup() as group:
        broker.register(Capability("slow"), forever)

        async def call(seconds: float) -> None:
            due = asyncio.get_running_loop().time() + seconds
            assert (await broker.invoke(Call("slow", timeout=seconds))).status is Status.TIMEOUT
            ended.append(due)

        lasting = group.create_task(broker.invoke(Call("slow", timeout=60)))
        waits = [0.05, 0.01, 0.03, 0.02, 0.04]
        await asyncio.wait([group.create_task(call(seconds)) for seconds in waits])
        assert ended == sorted(ended)
        assert len(ended) == len(waits)
        assert not lasting.done()
        lasting.cancel()


async def test_no_call_is_stopped_before_its_deadline() -> None:
    loop = asyncio.get_running_loop()
    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("slow"), forever)
        for seconds in (0.02, 0.005, 0.01):
            started = loop.time()
            await broker.invoke(Call("slow", timeout=seconds))
            assert loop.time() - started >= seconds


async def test_leaving_the_broker_waits_for_calls_that_clean_up_also_for_late_ones() -> None:
    cleaned: list[str] = []
    never, stopped = asyncio.Event(), asyncio.Event()

    async def clean_up(call: Call) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.set()
            try:
                await (never.wait() if call.payload == "late" else asyncio.sleep(0))
            except asyncio.CancelledError:
                await asyncio.sleep(0)
            cleaned.append(str(call.payload))
            raise

    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("slow"), clean_up)
        late = asyncio.ensure_future(broker.invoke(Call("slow", "late", timeout=0.001)))
        early = asyncio.ensure_future(broker.invoke(Call("slow", "early")))
        await settle()
        await stopped.wait()
    assert sorted(cleaned) == ["early", "late"]
    closed = await early
    assert closed.error is not None
    assert closed.error.code == ErrorCode.CLOSED
    assert (await late).status is Status.TIMEOUT
    assert broker._deadlines._timer is not None
    assert broker._deadlines._timer.cancelled()


async def test_a_provider_that_finishes_while_the_broker_closes_is_heard() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("slow"), swallowing(lambda: "finished"))
        call = asyncio.ensure_future(broker.invoke(Call("slow")))
        await settle()
    assert (await call).output == "finished"


async def test_blocks_that_ended_out_of_order_are_swept_out() -> None:
    deadlines = Deadlines(asyncio.get_running_loop())
    for _ in range(10 * SPARE):
        first = deadlines.begin(60)
        second = deadlines.begin(61)
        deadlines.end(first)
        deadlines.end(second)
        assert len(deadlines._line) <= SPARE + 5
    await deadlines.close(None, 60, logging.getLogger(__name__))


@pytest.mark.parametrize("ratio", [0.0, 0.5])
async def test_calls_below_a_trace_that_is_not_kept_are_counted_all_the_same(ratio: float) -> None:
    captured = Capture(Settings(sampling=Sampling(ratio)))

    async def inner(_: Call) -> None:
        return None

    async with ActionBroker(captured.telemetry) as broker:

        async def outer(_: Call) -> Result:
            return await broker.invoke(Call("inner"))

        broker.register(Capability("inner"), inner)
        broker.register(Capability("outer"), outer)
        for _ in range(40):
            await broker.invoke(Call("outer"))
    assert captured.values(m.INVOCATIONS) == {("inner", "ok"): 40, ("outer", "ok"): 40}
    assert captured.values(m.INVOKE_LATENCY) == {("inner",): 40, ("outer",): 40}
    kept = captured.spans(spans.INVOKE)
    assert len([span for span in kept if span.parent]) == len(kept) / 2
    assert (len(kept) > 0) is (ratio > 0)
    captured.telemetry.shutdown()


@pytest.mark.parametrize("make", [lambda: "done", fail], ids=["returns", "raises"])
async def test_callers_that_repeat_what_never_waits_leave_others_their_turn(
    make: Callable[[], object],
) -> None:
    async def hurry(_: Call) -> object:
        return make()

    async with ActionBroker(Telemetry.disabled()) as broker, asyncio.TaskGroup() as group:
        broker.register(Capability("quick"), hurry)
        other = group.create_task(asyncio.sleep(0))
        calls = 0
        while not other.done() and calls < 10_000:
            await broker.invoke(Call("quick"))
            calls += 1
        assert other.done()


async def test_a_capability_that_is_replaced_is_found_at_once() -> None:
    async def first(_: Call) -> int:
        return 1

    async def second(_: Call) -> int:
        return 2

    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("x", "1.0.0"), first)
        assert (await broker.invoke(Call("x"))).output == 1
        broker.register(Capability("x", "1.1.0"), second)
        assert (await broker.invoke(Call("x"))).output == 2
        broker.unregister("x", "1.1.0")
        assert (await broker.invoke(Call("x"))).output == 1
        broker.unregister("x")
        assert (await broker.invoke(Call("x"))).status is Status.NOT_FOUND


def test_a_call_without_an_id_gets_one_that_stays_and_is_its_own() -> None:
    call, other = Call("x"), Call("x")
    assert call.id == call.id != other.id
    assert not call.repeatable
    assert call != other
    assert Call("x", id="same") == Call("x", id="same")
    with pytest.raises(AttributeError):
        call.capability = "y"  # type: ignore[misc] # what is tested
    with pytest.raises(AttributeError):
        call.unknown  # type: ignore[attr-defined] # noqa: B018 - what is tested
