"""Metrics of the action broker."""

from loom.contract import attributes as a
from loom.contract import boundaries, scopes
from loom.contract.metric import Kind, Metric

INVOCATIONS = Metric(
    "loom.action_broker.invocations_total",
    Kind.COUNTER,
    "{call}",
    "Invocations by how they ended; a cache hit counts with the status it replays.",
    scopes.ACTION_BROKER,
    (a.CAPABILITY, a.CALL_STATUS),
    documented=True,
)
REGISTERED_CAPABILITIES = Metric(
    "loom.action_broker.registered_capabilities",
    Kind.UP_DOWN_COUNTER,
    "{capability}",
    "Capabilities registered now; replacing one keeps the count.",
    scopes.ACTION_BROKER,
    (a.PROVIDER_TYPE,),
    documented=True,
)
INVOKE_LATENCY = Metric(
    "loom.action_broker.invoke_latency",
    Kind.HISTOGRAM,
    "s",
    "Duration of every executed call; cache hits are not executed.",
    scopes.ACTION_BROKER,
    (a.CAPABILITY,),
    boundaries.CALL,
    documented=True,
)
CACHE_HITS = Metric(
    "loom.action_broker.cache_hits_total",
    Kind.COUNTER,
    "{hit}",
    "Calls answered by a finished successful result or by joining a call in flight.",
    scopes.ACTION_BROKER,
    (a.CAPABILITY,),
    documented=True,
)
TIMEOUTS = Metric(
    "loom.action_broker.timeouts_total",
    Kind.COUNTER,
    "{call}",
    "Calls that ran over their deadline.",
    scopes.ACTION_BROKER,
    (a.CAPABILITY,),
    documented=True,
)
ERRORS = Metric(
    "loom.action_broker.errors_total",
    Kind.COUNTER,
    "{call}",
    "Calls that failed: raised and returned errors, timeouts, capabilities not found.",
    scopes.ACTION_BROKER,
    (a.CAPABILITY, a.ERROR_CODE),
    documented=True,
)

ALL = (INVOCATIONS, REGISTERED_CAPABILITIES, INVOKE_LATENCY, CACHE_HITS, TIMEOUTS, ERRORS)
