"""Causes inside Loom: programs in trouble, each reporting as a service of its own."""

from loom.contract import environment
from loom.contract.resource import JOB
from loom.deploy.drill.cause import Act, Cause
from loom.deploy.drill.ground import Ground

STEADY, BUS, CALLS, AGENTS, MODELS, SPANS, SILENT = (
    f"drill-{one}" for one in ("steady", "bus", "calls", "agents", "models", "spans", "silent")
)
"""Services."""
SMALL = {environment.SAMPLER.name: "always_off"}
"""Metrics only: spans are for the faults that are about them."""
LARGE = {environment.SAMPLER.name: "always_on"}
_NARROW = {**LARGE, environment.SPAN_QUEUE.name: "4", environment.SPAN_BATCH.name: "4"}


def launching(service: str, *troubles: str, **variables: str) -> Act:
    """Start a program in trouble."""
    return lambda ground: ground.launch(service, *troubles, **variables)


def mending(service: str) -> Act:
    """End its faults, and let it go on."""
    return lambda ground: ground.mend(service)


def _end_all(ground: Ground) -> None:
    """Nothing runs yet, or not any more."""
    ground.end(STEADY)


def _trouble(service: str, name: str, alerts: tuple[str, ...], *troubles: str) -> Cause:
    return Cause(name, alerts, launching(service, *troubles, **SMALL), mending(service), 1, {JOB: service})


CAUSES = (
    Cause("no Loom process runs", ("LoomTelemetryAbsent",), _end_all, launching(STEADY, "well", **SMALL), 0),
    _trouble(
        BUS,
        "queues that are read slowly, or not at all",
        ("LoomEventsDropped", "LoomBacklogGrowing", "LoomPublishSlow"),
        *("drops", "backlog", "slow-publish"),
    ),
    _trouble(
        CALLS,
        "capabilities that fail, are late, or are not there",
        ("LoomCapabilityFailing", "LoomInvocationTimeouts", "LoomCapabilityNotFound"),
        # Among many that work: no error budget is burnt, which would silence these.
        *("failing", "late", "missing", "well"),
    ),
    _trouble(
        AGENTS,
        "agents fail, routes violate their policy",
        ("LoomAgentFailing", "LoomRouterPolicyViolations"),
        *("agent-failing", "violations"),
    ),
    _trouble(
        f"{AGENTS}-gone",
        "agents are deleted, an MCP server is gone, another breaks off again and again",
        ("LoomAgentsDown", "LoomMcpServerDown", "LoomMcpServerFlapping"),
        *("agents-gone", "server-gone", "server-flapping"),
    ),
    _trouble(
        MODELS,
        "a tool fails, the model refuses us, error codes without end",
        ("LoomToolFailing", "LoomRunsFailing", "LoomAttributeOverflow"),
        *("tools:1", "model-refused", "overflow"),
    ),
    _trouble(f"{MODELS}-slow", "the model takes its time", ("LoomModelSlow",), "model-slow"),
    Cause(
        "more spans than the exporter's queue takes",
        ("LoomSpansLost",),
        launching(SPANS, "bursts", **_NARROW),
        mending(SPANS),
        1,
        {JOB: SPANS},
    ),
    Cause(
        "a service ends",
        ("LoomServiceSilent",),
        launching(SILENT, "well", "brief", **SMALL),
        launching(SILENT, "well", **SMALL),
        1,
        {JOB: SILENT},
    ),
)
