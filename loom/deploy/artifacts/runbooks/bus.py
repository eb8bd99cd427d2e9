"""Runbooks of the event bus and the action broker."""

from loom.contract import attributes as a
from loom.contract.metrics import action_broker, agent, event_bus
from loom.contract.spans.action_broker import INVOKE
from loom.contract.spans.event_bus import PUBLISH
from loom.deploy.artifacts.runbooks.runbook import Runbook, again

_TOPIC, _CAPABILITY = a.TOPIC.label, a.CAPABILITY.label

BOOK = {
    "LoomEventsDropped": Runbook(
        "Events of a topic were dropped because a subscriber's queue was full, or by back-pressure, more"
        " than one in a hundred.",
        "Realtime subscribers miss events; nothing repeats them.",
        "Make the subscriber faster, give it a larger queue, add a second one, or subscribe with `batched`"
        " quality of service, which waits instead of dropping.",
        lambda ask: (
            ask.rate("why, and in which topics", event_bus.DROPPED, _TOPIC, a.DROP_REASON.label),
            ask.value("what waits", event_bus.BACKLOG, _TOPIC),
        ),
    ),
    "LoomBacklogGrowing": Runbook(
        "More than a hundred events have waited in a topic for ten minutes, and they grow more.",
        "Agents react late; when the queue is full, publishers wait or events are dropped.",
        "Look for a handler that became slow, start more agents of that type, or slow the publisher down.",
        lambda ask: (
            ask.value("where events wait", event_bus.BACKLOG, _TOPIC),
            ask.rate("how fast they are delivered", event_bus.DELIVERED, _TOPIC),
            ask.quantile("how long agents take", agent.EVENT_LATENCY, 0.95, a.AGENT_TYPE.label),
        ),
    ),
    "LoomPublishSlow": Runbook(
        "One publish in a hundred takes longer than half a second. A publish takes microseconds unless it"
        " waits for room.",
        "Whoever publishes is held up: back-pressure has reached the producers.",
        "As for [LoomBacklogGrowing](./LoomBacklogGrowing.md): the slow subscriber is the cause.",
        lambda ask: (
            ask.value("where events wait", event_bus.BACKLOG, _TOPIC),
            ask.quantile("which topics are slow", event_bus.PUBLISH_LATENCY, 0.99, _TOPIC),
            ask.traces("slow publishes", PUBLISH, "minDuration=500ms"),
        ),
    ),
    "LoomCapabilityFailing": Runbook(
        "More than a quarter of a capability's invocations failed in ten minutes.",
        "Actions that need this capability fail.",
        "Read the recorded exception of one failed span; mend or replace the provider.",
        lambda ask: (
            ask.rate("error codes", action_broker.ERRORS, _CAPABILITY, a.ERROR_CODE.label),
            ask.traces("failed invocations", INVOKE, error="true"),
        ),
    ),
    "LoomInvocationTimeouts": Runbook(
        "More than one invocation in twenty of a capability ran over its deadline.",
        "Callers wait for the whole deadline and get nothing.",
        "Is the provider slow, or the deadline too short for it? Compare the 99th percentile with the"
        " `timeout` attribute of the span.",
        lambda ask: (
            ask.quantile("how long it takes", action_broker.INVOKE_LATENCY, 0.99, _CAPABILITY),
            ask.traces("those that ran over", INVOKE, **{a.CALL_STATUS.name: "timeout"}),
        ),
    ),
    "LoomCapabilityNotFound": Runbook(
        f"Something asks for a capability that nobody registered. {again('fifteen minutes')}",
        "These invocations fail at once, every time.",
        "Mostly a misspelt name, or a provider (often an MCP server) that is not connected: see"
        " [LoomMcpServerDown](./LoomMcpServerDown.md).",
        lambda ask: (
            ask.increase(
                "which names",
                action_broker.INVOCATIONS,
                _CAPABILITY,
                over="15m",
                **{a.CALL_STATUS.label: "not_found"},
            ),
            ask.value(
                "how many are registered, by provider",
                action_broker.REGISTERED_CAPABILITIES,
                a.PROVIDER_TYPE.label,
            ),
            ask.traces("who asked", INVOKE, **{a.CALL_STATUS.name: "not_found"}),
        ),
    ),
}
