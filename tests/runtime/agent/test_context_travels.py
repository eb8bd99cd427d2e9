"""W3C trace context and baggage of another process travel with an event, through agents, to the next one."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest
from opentelemetry import baggage

from loom.contract.spans import agent as spans
from loom.runtime import Envelope, Event
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentRuntime, ScriptedAgent
from loom.runtime.agent.options import Surroundings
from loom.telemetry.capture import Capture

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]

TRACE = "0af7651916cd43dd8448eb211c80319c"
STATE = "vendor=t61rcWkgMzE,other=00f067aa0ba902b7"
BAGGAGE = "tenant=blue"


async def pass_on(headers: dict[str, str], enter: Enter) -> tuple[dict[str, str], list[object]]:
    """Forward an event with these headers to an agent that publishes another: its headers, what was seen."""
    seen: list[object] = []

    async def answer(event: Event, context: AgentContext) -> Sequence[Action]:
        seen.append(baggage.get_baggage("tenant"))
        if event.type == "question":
            await context.publish("next", Event("onward"))
            return [Action("echo", "x")]
        return ()

    async with enter() as (runtime, world):
        onward = world.bus.subscribe("next")
        first, second = ScriptedAgent(answer), ScriptedAgent(answer)
        runtime.create(AgentConfig("first", topics=("questions",)), first)
        runtime.create(AgentConfig("second", topics=("next",)), second)
        await world.bus.forward(Envelope.from_headers("questions", Event("question"), headers))
        await second.handled(1)
        envelope = await onward.get(10)
    return envelope.to_headers(), seen


@pytest.mark.parametrize("sampled", ["01", "00"])
def test_trace_state_and_baggage_come_out_as_they_went_in(
    enter: Enter, captured: Capture, sampled: str
) -> None:
    parent = f"00-{TRACE}-b7ad6b7169203331-{sampled}"
    given = {"traceparent": parent, "tracestate": STATE, "baggage": BAGGAGE}
    headers, seen = asyncio.run(pass_on(given, enter))
    assert headers["tracestate"] == STATE
    assert headers["baggage"] == BAGGAGE
    assert seen == ["blue", "blue"]
    version, trace_id, span_id, flags = headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, sampled)
    runs = captured.spans(spans.RUN)
    if sampled == "00":
        assert runs == []
        return
    assert span_id != "b7ad6b7169203331"  # somebody here published it
    assert {f"{span.context.trace_id:032x}" for span in runs if span.context} == {TRACE}
    assert {span.context.trace_state.to_header() for span in runs if span.context} == {STATE}


def test_baggage_travels_without_a_trace_too(enter: Enter) -> None:
    headers, seen = asyncio.run(pass_on({"baggage": BAGGAGE}, enter))
    assert headers["baggage"] == BAGGAGE
    assert seen == ["blue", "blue"]
    assert "tracestate" not in headers


def test_a_trace_state_without_a_trace_is_worth_nothing(enter: Enter) -> None:
    headers, _ = asyncio.run(pass_on({"tracestate": STATE}, enter))
    assert "tracestate" not in headers
    assert TRACE not in headers["traceparent"]
