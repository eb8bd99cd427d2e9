"""The dashboard of the pipeline itself: does telemetry arrive, and is there room for it?"""

from loom.contract import attributes as a
from loom.contract import foreign as f
from loom.contract.metrics import telemetry as m
from loom.contract.promql import Expression, Queries, aggregate, binary, ratio, zero_unless
from loom.contract.resource import JOB
from loom.contract.series import Series
from loom.deploy.artifacts.dashboards import delivery
from loom.deploy.artifacts.dashboards.limits import at_least, more_than
from loom.deploy.artifacts.dashboards.model import Board, Panel, Row, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, legend, lines, stat

TITLE = "Loom Pipeline"
_QUEUE = ("exporter", "data_type")


def board(panels: Panels, *, badger: bool, canary: float = 0) -> Board:
    """Losses, queues and space on the way from Loom to Grafana.

    `badger`: Jaeger stores on disk; `canary`: seconds between two of its rounds, 0 when there is none.
    """
    return Board(
        "loom-pipeline",
        TITLE,
        "The way of the telemetry itself: Loom, collector, Prometheus, Jaeger, Alertmanager. Look here when "
        "another dashboard has gaps.",
        (
            _health(panels),
            *([delivery.row(panels.plain, canary)] if canary else []),
            _runtime(panels),
            _spans(panels.plain),
            _points(panels.plain),
            _processes(panels.plain, badger=badger),
            _prometheus(panels.plain),
            _alerting(panels.plain),
        ),
    )


def _health(panels: Panels) -> Row:
    up = Text("Targets up", "Share of the scrape targets that answer Prometheus.")
    queue = Text("Fullest queue", "The fullest sending queue. Full: the collector drops what comes next.")
    refused = Text("Spans refused", "Spans per second that a receiver refused; the sender tries again.")
    failed = Text("Spans not stored", "Spans per second that an exporter gave up on, or had no room for.")
    lost = Text("Spans lost in Loom", "Spans per second that never reached the collector.")
    config = Text("Configuration loaded", "100 %: Prometheus and Alertmanager run the configuration on disk.")
    plain, now = panels.plain, panels.plain.over(panels.recent.window)
    fullest = aggregate("max", _fill(plain))
    given_up = binary(_rate(now, f.SEND_FAILED_SPANS), "+", _rate(now, f.ENQUEUE_FAILED_SPANS))
    loaded = _either(plain, f.PROMETHEUS_CONFIG_LOADED, f.ALERTMANAGER_CONFIG_LOADED)
    spans_lost = zero_unless(panels.recent.rate(m.SPANS_LOST))
    rate = Unit.PER_SECOND
    numbers = (
        stat(up, Unit.RATIO, Target(plain.value_of(f.UP, operation="avg"), "up"), steps=at_least(1)),
        stat(queue, Unit.RATIO, Target(fullest, "full"), steps=more_than(0.5, 0.8)),
        stat(refused, rate, Target(_rate(now, f.REFUSED_SPANS), "refused"), steps=more_than(0.001)),
        stat(failed, rate, Target(given_up, "not stored"), steps=more_than(0.001)),
        stat(lost, rate, Target(spans_lost, "lost"), steps=more_than(0.001)),
        stat(config, Unit.RATIO, Target(loaded, "loaded"), steps=at_least(1)),
    )
    return Row(
        "Does telemetry arrive?", tuple(panel.wide(4).without("No targets") for panel in numbers), height=4
    )


def _runtime(panels: Panels) -> Row:
    spans = Text(
        "Spans of Loom",
        "Spans per second that ended, and that the collector acknowledged. The lines lie on each other; a "
        "gap between them is queued or lost.",
    )
    lost = Text(
        "Spans lost by reason", "queue_full: more spans than the exporter sends. export_failed: no collector."
    )
    over = Text(
        "Attribute overflow",
        "Measurements per second that were recorded as other, since the attribute's budget was spent. "
        "Something unbounded, such as an id, is used as a name.",
    )
    return Row(
        "Loom's exporters",
        (
            panels.rates(spans, created=m.SPANS_CREATED, exported=m.SPANS_EXPORTED),
            panels.rate(lost, m.SPANS_LOST, a.LOST_REASON).without("Nothing lost"),
            panels.rate(over, m.ATTRIBUTE_OVERFLOW, a.OVERFLOW_METRIC, a.OVERFLOW_ATTRIBUTE).without("None"),
        ),
    )


def _spans(q: Queries) -> Row:
    received = Text("Spans received", "Spans per second that the collector and Jaeger accepted.")
    sent = Text("Spans sent", "Spans per second that exporters delivered; below received, a queue fills.")
    trouble = Text(
        "Spans refused and not stored", "Per second. Refused: memory is short, the sender tries again."
    )
    return Row(
        "Traces on their way",
        (
            lines(received, Unit.PER_SECOND, _by(q, f.ACCEPTED_SPANS, JOB)),
            lines(sent, Unit.PER_SECOND, _by(q, f.SENT_SPANS, JOB)),
            _trouble(q, trouble, f.REFUSED_SPANS, f.SEND_FAILED_SPANS, f.ENQUEUE_FAILED_SPANS),
        ),
    )


def _points(q: Queries) -> Row:
    flow = Text("Metric points", "Metric points per second that the collector accepted and sent on.")
    trouble = Text(
        "Metric points refused and not stored", "Per second. Any at all means gaps in the dashboards."
    )
    queue = Text(
        "Queues",
        "How full each sending queue is. Rising: its backend is slow or away; at 100 % data is dropped.",
    )
    limiter = Text(
        "Refused by the memory limiter", "Per second. The collector needs more memory, or less load."
    )
    return Row(
        "Metrics on their way, and queues",
        (
            lines(
                flow,
                Unit.PER_SECOND,
                Target(q.rate_of(f.ACCEPTED_METRIC_POINTS), "accepted"),
                Target(q.rate_of(f.SENT_METRIC_POINTS), "sent"),
            ).wide(6),
            _trouble(
                q,
                trouble,
                f.REFUSED_METRIC_POINTS,
                f.SEND_FAILED_METRIC_POINTS,
                f.ENQUEUE_FAILED_METRIC_POINTS,
            ).wide(6),
            lines(queue, Unit.RATIO, Target(_fill(q), legend(*_QUEUE))).limits(*more_than(0.5, 0.8)).wide(6),
            lines(
                limiter,
                Unit.PER_SECOND,
                Target(q.rate_of(f.LIMITER_REFUSED_SPANS), "spans"),
                Target(q.rate_of(f.LIMITER_REFUSED_METRIC_POINTS), "metric points"),
            )
            .wide(6)
            .without("Nothing refused"),
        ),
    )


def _processes(q: Queries, *, badger: bool) -> Row:
    memory = Text("Memory of collector and Jaeger", "Resident memory; the limits are in the compose file.")
    cpu = Text("CPU of collector and Jaeger", "Share of one core.")
    uptime = Text("Uptime of collector and Jaeger", "A saw-tooth is a process that restarts again and again.")
    panels = [
        lines(memory, Unit.BYTES, Target(q.value_of(f.PROCESS_MEMORY, (JOB,)), legend(JOB))),
        lines(cpu, Unit.RATIO, _by(q, f.PROCESS_CPU, JOB)),
        lines(uptime, Unit.SECONDS, Target(q.value_of(f.PROCESS_UPTIME, (JOB,), "min"), legend(JOB))),
    ]
    if badger:
        disk = Text("Traces on disk", "What Jaeger's store takes; old traces leave when their time is over.")
        sizes = (
            Target(q.value_of(f.BADGER_LSM_BYTES), "keys"),
            Target(q.value_of(f.BADGER_VALUE_LOG_BYTES), "values"),
        )
        panels = [panel.wide(6) for panel in (*panels, lines(disk, Unit.BYTES, *sizes))]
    return Row("Processes", tuple(panel.without("Nothing reported") for panel in panels))


def _prometheus(q: Queries) -> Row:
    series = Text(
        "Series", "Series in Prometheus' memory. A step is a deployment, a slope is an unbounded label."
    )
    samples = Text("Samples", "Samples per second that Prometheus stores.")
    disk = Text(
        "Metrics on disk", "Blocks, write-ahead log and head; blocks stop growing at the retention size."
    )
    rules = Text("Rule evaluations that fail", "Failed and missed evaluations per second: alerts are blind.")
    sizes = (
        Target(q.value_of(f.BLOCKS_BYTES), "blocks"),
        Target(q.value_of(f.WAL_BYTES), "write-ahead log"),
        Target(q.value_of(f.HEAD_CHUNKS_BYTES), "head"),
    )
    broken = (Target(q.rate_of(f.RULE_FAILURES), "failed"), Target(q.rate_of(f.RULE_GROUP_MISSED), "missed"))
    panels = (
        lines(series, Unit.COUNT, Target(q.value_of(f.HEAD_SERIES), "series")),
        lines(samples, Unit.PER_SECOND, Target(q.rate_of(f.SAMPLES_APPENDED), "samples")),
        lines(disk, Unit.BYTES, *sizes),
        lines(rules, Unit.PER_SECOND, *broken).limits(*more_than(0.001)),
    )
    return Row("Prometheus", tuple(panel.wide(6).without("Nothing reported") for panel in panels))


def _alerting(q: Queries) -> Row:
    alerts = Text(
        "Alerts in Alertmanager", "Alerts by state: active ones notify, suppressed ones are silenced."
    )
    sent = Text("Notifications", "Notifications per second by integration, and those that failed.")
    dropped = Text("Alerts that Prometheus could not hand over", "Per second. Nobody will hear of these.")
    integration = "integration"
    notifications = (
        Target(q.rate_of(f.NOTIFICATIONS, (integration,)), legend(integration)),
        Target(q.rate_of(f.NOTIFICATIONS_FAILED, (integration,)), f"{legend(integration)} failed"),
    )
    panels = (
        lines(alerts, Unit.COUNT, Target(q.value_of(f.ALERTMANAGER_ALERTS, ("state",)), legend("state"))),
        lines(sent, Unit.PER_SECOND, *notifications),
        lines(dropped, Unit.PER_SECOND, Target(q.rate_of(f.NOTIFICATIONS_DROPPED), "dropped")),
    )
    return Row("Alertmanager", tuple(panel.without("Nothing reported") for panel in panels))


def _trouble(q: Queries, text: Text, refused: Series, failed: Series, full: Series) -> Panel:
    """Three ways to lose: refused at the door, given up, no room in the queue."""
    targets = (
        Target(q.rate_of(refused), "refused"),
        Target(q.rate_of(failed), "given up"),
        Target(q.rate_of(full), "queue full"),
    )
    return lines(text, Unit.PER_SECOND, *targets).limits(*more_than(0.001)).without("None")


def _by(q: Queries, series: Series, label: str) -> Target:
    return Target(q.rate_of(series, (label,)), legend(label))


def _rate(q: Queries, series: Series) -> Expression:
    # Many of these series do not exist before the first trouble; none is no trouble.
    return zero_unless(q.rate_of(series))


def _fill(q: Queries) -> Expression:
    return ratio(q.value_of(f.QUEUE_SIZE, _QUEUE, "max"), q.value_of(f.QUEUE_CAPACITY, _QUEUE, "max"))


def _either(q: Queries, one: Series, other: Series) -> Expression:
    return binary(q.value_of(one, operation="min"), "*", q.value_of(other, operation="min"))
