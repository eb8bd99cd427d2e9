"""Telemetry of other programs that our rules, panels and proofs read; a smoke test compares it with scrapes.

The names are those of the pinned versions, with the three `without_*` options of the collector's own
telemetry set. Labels beyond those here may exist; those listed always do.
"""

from dataclasses import dataclass
from typing import Literal

from loom.contract.resource import INSTANCE, JOB
from loom.contract.series import Series

# Scrape jobs: each target's `job`, and what `up` says about it.
JOB_EXPORTER = "otel-collector-exporter"
"""The collector's Prometheus exporter, which carries Loom's metrics; there with delivery `scrape` only."""
JOB_COLLECTOR = "otel-collector"
JOB_METRICS = "otel-metrics"
"""The collector for metrics, where traces have one of their own."""
JOB_SAMPLER = "otel-sampler"
"""The collectors that decide which traces are kept, where there are such."""
JOB_JAEGER = "jaeger"
JOB_PROMETHEUS = "prometheus"
JOB_ALERTMANAGER = "alertmanager"
JOB_CANARY = "canary"
JOB_THANOS_SIDECAR = "thanos-sidecar"
JOB_THANOS_STORE = "thanos-store"
JOB_THANOS_COMPACTOR = "thanos-compactor"
JOB_THANOS_QUERY = "thanos-query"
JOBS_THANOS = (JOB_THANOS_SIDECAR, JOB_THANOS_STORE, JOB_THANOS_COMPACTOR, JOB_THANOS_QUERY)

_TARGET = (JOB, INSTANCE)
_EXPORTER = (*_TARGET, "exporter")
_RECEIVER = (*_TARGET, "receiver", "transport")
_PROCESSOR = (*_TARGET, "processor")

UP = Series("up", _TARGET)
TARGET_INFO = Series("target_info", _TARGET)
ALERTS = Series("ALERTS", ("alertname", "alertstate", "severity", "component"))
"""Written by Prometheus itself while an alert is pending or firing, with the alert's other labels too."""

# OpenTelemetry Collector; Jaeger v2 is built on it and has the same series under its own job.
QUEUE_SIZE = Series("otelcol_exporter_queue_size", (*_EXPORTER, "data_type"))
QUEUE_CAPACITY = Series("otelcol_exporter_queue_capacity", (*_EXPORTER, "data_type"))
SENT_SPANS = Series("otelcol_exporter_sent_spans", _EXPORTER)
SENT_METRIC_POINTS = Series("otelcol_exporter_sent_metric_points", _EXPORTER)
SEND_FAILED_SPANS = Series("otelcol_exporter_send_failed_spans", _EXPORTER)
SEND_FAILED_METRIC_POINTS = Series("otelcol_exporter_send_failed_metric_points", _EXPORTER)
ENQUEUE_FAILED_SPANS = Series("otelcol_exporter_enqueue_failed_spans", _EXPORTER)
ENQUEUE_FAILED_METRIC_POINTS = Series("otelcol_exporter_enqueue_failed_metric_points", _EXPORTER)
ACCEPTED_SPANS = Series("otelcol_receiver_accepted_spans", _RECEIVER)
ACCEPTED_METRIC_POINTS = Series("otelcol_receiver_accepted_metric_points", _RECEIVER)
REFUSED_SPANS = Series("otelcol_receiver_refused_spans", _RECEIVER)
REFUSED_METRIC_POINTS = Series("otelcol_receiver_refused_metric_points", _RECEIVER)
LIMITER_REFUSED_SPANS = Series("otelcol_processor_memory_limiter_refused_spans", _PROCESSOR)
LIMITER_REFUSED_METRIC_POINTS = Series("otelcol_processor_memory_limiter_refused_metric_points", _PROCESSOR)
TRACES_DECIDED = Series(
    "otelcol_processor_tail_sampling_global_count_traces_sampled", (*_TARGET, "decision", "sampled")
)
"""Traces that the tail sampler has decided on, each once: `sampled` or `not_sampled`."""
PROCESS_MEMORY = Series("otelcol_process_memory_rss", _TARGET)
PROCESS_CPU = Series("otelcol_process_cpu_seconds", _TARGET)
PROCESS_UPTIME = Series("otelcol_process_uptime", _TARGET)
PROCESS_START = Series("process_start_time_seconds", _TARGET)
"""Of Prometheus, Alertmanager and Thanos: when the process began, as Unix time."""

# Jaeger's badger store.
BADGER_LSM_BYTES = Series("jaeger_storage_badger_size_bytes_lsm", _TARGET)
BADGER_VALUE_LOG_BYTES = Series("jaeger_storage_badger_size_bytes_vlog", _TARGET)

# Prometheus.
RULE_FAILURES = Series("prometheus_rule_evaluation_failures_total", (*_TARGET, "rule_group"))
RULE_GROUP_MISSED = Series("prometheus_rule_group_iterations_missed_total", (*_TARGET, "rule_group"))
PROMETHEUS_CONFIG_LOADED = Series("prometheus_config_last_reload_successful", _TARGET)
NOTIFICATIONS_DROPPED = Series("prometheus_notifications_dropped_total", (*_TARGET, "alertmanager"))
ALERTMANAGERS_DISCOVERED = Series("prometheus_notifications_alertmanagers_discovered", _TARGET)
HEAD_SERIES = Series("prometheus_tsdb_head_series", _TARGET)
SAMPLES_APPENDED = Series("prometheus_tsdb_head_samples_appended_total", (*_TARGET, "type"))
BLOCKS_BYTES = Series("prometheus_tsdb_storage_blocks_bytes", _TARGET)
WAL_BYTES = Series("prometheus_tsdb_wal_storage_size_bytes", _TARGET)
HEAD_CHUNKS_BYTES = Series("prometheus_tsdb_head_chunks_storage_size_bytes", _TARGET)
WAL_CORRUPTIONS = Series("prometheus_tsdb_wal_corruptions_total", _TARGET)

# Alertmanager.
ALERTMANAGER_CONFIG_LOADED = Series("alertmanager_config_last_reload_successful", _TARGET)
ALERTMANAGER_ALERTS = Series("alertmanager_alerts", (*_TARGET, "state"))
NOTIFICATIONS = Series("alertmanager_notifications_total", (*_TARGET, "integration"))
NOTIFICATIONS_FAILED = Series("alertmanager_notifications_failed_total", (*_TARGET, "integration", "reason"))

_REMOTE = (*_TARGET, "remote_name", "url")
REMOTE_SAMPLES_FAILED = Series("prometheus_remote_storage_samples_failed_total", _REMOTE)
"""Refused by a store, and therefore never sent again."""
REMOTE_SAMPLES_RETRIED = Series("prometheus_remote_storage_samples_retried_total", _REMOTE)
REMOTE_SAMPLES_PENDING = Series("prometheus_remote_storage_samples_pending", _REMOTE)
REMOTE_EXEMPLARS_FAILED = Series("prometheus_remote_storage_exemplars_failed_total", _REMOTE)
REMOTE_SENT = Series("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", _REMOTE)
"""Time of the newest sample that a store has: how far it is behind."""
REMOTE_SHARDS = Series("prometheus_remote_storage_shards", _REMOTE)
REMOTE_SHARDS_DESIRED = Series("prometheus_remote_storage_shards_desired", _REMOTE)
REMOTE_SHARDS_MAX = Series("prometheus_remote_storage_shards_max", _REMOTE)
REMOTE = (
    REMOTE_SAMPLES_FAILED,
    REMOTE_SAMPLES_RETRIED,
    REMOTE_SAMPLES_PENDING,
    REMOTE_EXEMPLARS_FAILED,
    REMOTE_SENT,
    REMOTE_SHARDS,
    REMOTE_SHARDS_DESIRED,
    REMOTE_SHARDS_MAX,
)
"""There when Prometheus writes to stores elsewhere."""
COMPACTOR_HALTED = Series("thanos_compact_halted", _TARGET)
"""1 when the compactor met what it dares not touch, and does nothing more."""
UPLOAD_FAILURES = Series("thanos_shipper_upload_failures_total", _TARGET)
BLOCK_UPLOADED = Series("thanos_objstore_bucket_last_successful_upload_time", (*_TARGET, "bucket"))
BUCKET_FAILURES = Series("thanos_objstore_bucket_operation_failures_total", (*_TARGET, "operation"))
THANOS = (COMPACTOR_HALTED, UPLOAD_FAILURES, BLOCK_UPLOADED, BUCKET_FAILURES)
"""There when metrics are kept with Thanos."""

ALWAYS = (
    UP,
    TARGET_INFO,
    ALERTS,
    QUEUE_SIZE,
    QUEUE_CAPACITY,
    SENT_SPANS,
    SENT_METRIC_POINTS,
    ACCEPTED_SPANS,
    ACCEPTED_METRIC_POINTS,
    REFUSED_SPANS,
    REFUSED_METRIC_POINTS,
    PROCESS_MEMORY,
    PROCESS_CPU,
    PROCESS_UPTIME,
    PROCESS_START,
    BADGER_LSM_BYTES,
    BADGER_VALUE_LOG_BYTES,
    RULE_FAILURES,
    RULE_GROUP_MISSED,
    PROMETHEUS_CONFIG_LOADED,
    NOTIFICATIONS_DROPPED,
    ALERTMANAGERS_DISCOVERED,
    HEAD_SERIES,
    SAMPLES_APPENDED,
    BLOCKS_BYTES,
    WAL_BYTES,
    HEAD_CHUNKS_BYTES,
    WAL_CORRUPTIONS,
    ALERTMANAGER_CONFIG_LOADED,
    ALERTMANAGER_ALERTS,
    NOTIFICATIONS,
    NOTIFICATIONS_FAILED,
)
"""There as soon as telemetry has passed through a healthy deployment."""
TROUBLE = (
    SEND_FAILED_SPANS,
    SEND_FAILED_METRIC_POINTS,
    ENQUEUE_FAILED_SPANS,
    ENQUEUE_FAILED_METRIC_POINTS,
    LIMITER_REFUSED_SPANS,
    LIMITER_REFUSED_METRIC_POINTS,
)
"""There only once something went wrong: the first value is a failure already, and no 0 stands before it."""
SAMPLING = (TRACES_DECIDED,)
"""There only where a collector decides which traces are kept."""
ALL = (*ALWAYS, *TROUBLE, *SAMPLING, *REMOTE, *THANOS)


@dataclass(frozen=True, slots=True)
class ForeignSpan:
    """A span that another library records inside our traces."""

    scope: str
    prefix: str
    """The name up to the part that varies: `MCP send tools/call ` and then the tool."""
    kind: Literal["CLIENT", "SERVER"]
    description: str
    """One sentence with a full stop."""


_MCP_SCOPE = "mcp-python-sdk"
SPANS = (
    ForeignSpan(
        _MCP_SCOPE,
        "MCP send tools/call ",
        "CLIENT",
        "The MCP SDK's client span of one tool call, under `invoke`.",
    ),
    ForeignSpan(_MCP_SCOPE, "MCP send ", "CLIENT", "The MCP SDK's client span of any other request."),
    ForeignSpan(
        _MCP_SCOPE,
        "tools/call ",
        "SERVER",
        "The MCP SDK's server span of one tool call, in the server's process.",
    ),
)
"""Spans of the MCP SDK: the more specific prefix first."""
