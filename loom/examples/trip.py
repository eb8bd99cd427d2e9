"""The story of `mcp_integration`: somebody wants to travel, and one trace tells the whole of it.

publish trips.requested → planner: run → route_event → route, execute_action → invoke → an MCP server (one
over stdio, one over HTTP), execute_action → invoke llm.generate → the orchestrator's run → model, tools →
publish of the results → desk.
"""

from collections.abc import Sequence

from opentelemetry.trace import get_current_span

from loom.examples.expectation import Expectations
from loom.runtime import Coordination, Event
from loom.runtime.agent import Action, AgentConfig, AgentContext, ScriptedAgent
from loom.runtime.loom import Loom
from loom.runtime.orchestrator.script import Reply, ScriptedCall

TOPIC = "trips.requested"
REQUEST = "trip.request"
GENERATE = "llm.generate"

REPLIES = (
    Reply(
        calls=(
            ScriptedCall("weather:forecast", {"city": "Paris"}),
            ScriptedCall("weather:forecast", {"city": "Oslo"}),
        ),
        delay=0.12,  # a model thinks: traces of this run last longer than 100 ms
    ),
    Reply("Go to Paris."),
    Reply("Go to Paris, it is sunny there."),
)
"""What the scripted model says to the planner's question: two calls, a draft, the refined answer."""


async def plan(request: Event, _: AgentContext) -> Sequence[Action]:
    """What the planner does with a request: weather and trains by itself, the rest with the model."""
    city = request.payload
    return (
        Action("look_outside", {"city": city}, capability="weather:forecast", priority=80),
        Action("look_for_trains", {"city": city}, capability="trains:departures"),
        Action("decide", {"prompt": f"Should we travel to {city} or to Oslo?"}, capability=GENERATE),
    )


async def tell(loom: Loom, expected: Expectations) -> str:
    """Run it; the trace id, empty when the trace was not kept."""
    planner, desk = ScriptedAgent(plan), ScriptedAgent()
    configured = AgentConfig("desk", "desk")
    loom.agents.create(configured, desk)
    loom.agents.create(AgentConfig("planner", "planner", topics=(TOPIC,)), planner)
    loom.agents.subscribe("planner", "trips.changed")
    await loom.bus.publish(
        TOPIC,
        Event(REQUEST, "Paris", source="example"),
        coordination=Coordination(reply_to=configured.mailbox),
    )
    await desk.handled(3)
    weather, trains, answer = (event.payload for event in desk.events)
    expected.check("the planner's look outside", str(weather), "Paris: sunny, 21 °C")
    expected.check("the planner's trains", str(trains), "Paris: 8:05, 10:05")
    expected.check("the planner's answer", answer, "Go to Paris, it is sunny there.")
    print(f"somebody asked the planner for a trip; it looked outside: {weather}, and for trains: {trains}")
    print(f"the planner's model says: {answer}")
    loom.agents.unsubscribe("planner", "trips.changed")
    await loom.agents.delete("planner")
    span = get_current_span(desk.contexts[0].envelope.context).get_span_context()
    return f"{span.trace_id:032x}" if span.trace_flags.sampled else ""
