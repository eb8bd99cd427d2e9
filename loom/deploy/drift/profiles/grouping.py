"""Where in a profile a value stands decides what it is about."""

from loom.deploy.drift.profiles.line import Group

_GROUPS = {
    "security": Group.SECURITY,
    "ports.bind": Group.SECURITY,
    "ports.ingest_bind": Group.SECURITY,
    "collector.diagnostics": Group.SECURITY,
    "alerting.receivers": Group.ALERTS,
    "collector.queue": Group.LOSS,
    "tracing.storage": Group.LOSS,
    "tracing.sampler": Group.SAMPLING,
    "sampling": Group.SAMPLING,
    "tracing.sampling": Group.SAMPLING,
    "tracing.tail": Group.SAMPLING,
    "tracing": Group.RETENTION,
    "metrics.retention": Group.RETENTION,
    "volumes": Group.RETENTION,
    "collector.memory": Group.MEMORY,
    "memory": Group.MEMORY,
    "ports": Group.PORTS,
    "alerting": Group.ALERTS,
    "alerts": Group.ALERTS,
    "slo": Group.ALERTS,
    "slos": Group.ALERTS,
    "canary": Group.ALERTS,
    "collector": Group.TOPOLOGY,
    "topology": Group.TOPOLOGY,
    "metrics": Group.METRICS,
    "remote": Group.METRICS,
    "remote_write": Group.METRICS,
    "federation": Group.METRICS,
    "thanos": Group.METRICS,
    "long_term": Group.METRICS,
    "loom": Group.RUNTIME,
    "workload": Group.WORKLOAD,
    "name": Group.IDENTITY,
    "description": Group.IDENTITY,
    "environment": Group.IDENTITY,
}
"""Path or beginning of a path → group; the longest that fits decides. Of later issues the likely ones too."""


def group(path: str) -> Group:
    """The group of `metrics.retention.time`; OTHER for what nobody has thought of."""
    parts = path.partition("[")[0].split(".")
    beginnings = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_GROUPS[one] for one in beginnings if one in _GROUPS), Group.OTHER)
