"""Runbooks of agents, routing, MCP servers, tools and models."""

from loom.contract import attributes as a
from loom.contract.metrics import (
    action_broker,
    agent,
    agent_runtime,
    event_bus,
    gen_ai,
    mcp_manager,
    router,
    tool_orchestrator,
)
from loom.contract.recording import LEVEL
from loom.contract.spans import tool_orchestrator as orchestrator_spans
from loom.contract.spans.agent import RUN
from loom.contract.spans.mcp_manager import RECONNECT_SERVER
from loom.deploy.artifacts.runbooks.runbook import Runbook

BOOK = {
    "LoomRouterPolicyViolations": Runbook(
        "More than one routing decision in ten could not satisfy its policy: privacy, latency, cost or"
        " quality.",
        "Events are deferred, dropped, or take a route that nobody wanted.",
        "Loosen the policy that is named, or give the router an endpoint that satisfies it.",
        lambda ask: (
            ask.rate("which policy", router.POLICY_VIOLATIONS, a.POLICY_TYPE.label),
            ask.rate(
                "what is decided instead, and why", router.DECISIONS, a.ROUTE.label, a.ROUTE_REASON.label
            ),
        ),
    ),
    "LoomAgentsDown": Runbook(
        "A process that had agents has none left, while events keep coming.",
        "Events are published and nobody handles them.",
        "Start the agents again; the log of the process says why one crashed. If they were deleted on"
        " purpose, stop publishing to their topics, or end the process.",
        lambda ask: (
            ask.value("agents now", agent_runtime.AGENTS_ACTIVE, *LEVEL),
            ask.increase("deleted within the hour", agent_runtime.AGENTS_DELETED, *LEVEL, over="1h"),
            ask.rate("events that keep coming", event_bus.PUBLISHED, *LEVEL, a.TOPIC.label),
        ),
    ),
    "LoomAgentFailing": Runbook(
        "More than one event in ten ended in an error in agents of one type.",
        "The work behind these events is not done; the agents themselves live on.",
        "Read the recorded exception of one failed `run`; if one capability is behind it, see"
        " [LoomCapabilityFailing](./LoomCapabilityFailing.md).",
        lambda ask: (
            ask.rate("which agents", agent.EVENTS_PROCESSED, a.AGENT_TYPE.label, a.EVENT_OUTCOME.label),
            ask.rate("what fails under them", action_broker.ERRORS, a.CAPABILITY.label, a.ERROR_CODE.label),
            ask.traces("failed events", RUN, error="true"),
        ),
    ),
    "LoomMcpServerDown": Runbook(
        "An MCP server is gone, none of its tools is registered, and attempts to reconnect keep failing. A"
        " server that was removed on purpose is not reconnected and does not fire this.",
        "Its tools are missing: runs answer without them, or not at all.",
        "stdio: start the command by hand and read what it says. HTTP: call its URL from the same machine."
        " It is reconnected by itself once it answers.",
        lambda ask: (
            ask.value("tools of each server", mcp_manager.TOOLS_REGISTERED, a.SERVER.label),
            ask.increase(
                "attempts", mcp_manager.RECONNECTIONS, a.SERVER.label, a.ATTEMPT_OUTCOME.label, over="10m"
            ),
            ask.traces("why they fail", RECONNECT_SERVER),
        ),
    ),
    "LoomMcpServerFlapping": Runbook(
        "An MCP server broke off and came back more than five times in half an hour.",
        "Calls in flight fail each time it breaks off.",
        "Read the log of the server itself. Look for a crash, a limit on memory, or a proxy that closes"
        " idle connections.",
        lambda ask: (
            ask.increase(
                "attempts", mcp_manager.RECONNECTIONS, a.SERVER.label, a.ATTEMPT_OUTCOME.label, over="30m"
            ),
            ask.increase("how often it broke off", mcp_manager.SERVERS_DISCONNECTED, *LEVEL, over="30m"),
            ask.traces("the attempts one by one", RECONNECT_SERVER),
        ),
    ),
    "LoomToolFailing": Runbook(
        "More than a quarter of a tool's calls failed in fifteen minutes.",
        "The model gets errors in place of results, and tries again or gives up.",
        "`error_code` says whether arguments were wrong (the model's fault: improve the tool's"
        " description) or the tool failed.",
        lambda ask: (
            ask.rate(
                "error codes", tool_orchestrator.TOOL_ERRORS, a.TOOL.label, a.ERROR_CODE.label, over="15m"
            ),
            ask.quantile("how long tools take", tool_orchestrator.TOOL_LATENCY, 0.95, a.TOOL.label),
        ),
    ),
    "LoomRunsFailing": Runbook(
        "More than one orchestrator run in five ended without an answer: an error, a timeout, or too many"
        " tool calls.",
        "Users get no answer.",
        "`tool_limit`: the model goes round in circles; read one trace. `error`: usually the model's"
        " endpoint. `timeout`: see [LoomModelSlow](./LoomModelSlow.md) and"
        " [LoomInvocationTimeouts](./LoomInvocationTimeouts.md).",
        lambda ask: (
            ask.rate("how runs end", tool_orchestrator.RUNS, a.RUN_OUTCOME.label, over="15m"),
            ask.traces("runs that failed", orchestrator_spans.RUN, error="true"),
        ),
    ),
    "LoomModelSlow": Runbook(
        "One model request in twenty takes longer than thirty seconds.",
        "Runs are slow, and some run over their deadline.",
        "Long prompts, a busy endpoint, or a model that is too large for its machine. Compare the tokens"
        " with last week's.",
        lambda ask: (
            ask.quantile("by phase", tool_orchestrator.LLM_LATENCY, 0.95, a.PHASE.label),
            ask.quantile("by model", gen_ai.OPERATION_DURATION, 0.95, a.REQUEST_MODEL.label),
            ask.quantile("tokens of a request", gen_ai.TOKEN_USAGE, 0.95, a.TOKEN_TYPE.label),
        ),
    ),
}
