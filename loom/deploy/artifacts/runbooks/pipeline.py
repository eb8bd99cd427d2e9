"""Runbooks of the pipeline: heartbeat, targets, collector and Jaeger."""

from loom.contract import foreign as f
from loom.contract.promql import Matcher, binary, select
from loom.contract.resource import JOB
from loom.deploy.artifacts.runbooks.runbook import Ask, Asked, Runbook, Step, again
from loom.deploy.plan.model import Service

_QUEUES = (f.QUEUE_SIZE, f.QUEUE_CAPACITY)


def _fill(ask: Ask) -> Step:
    size, capacity = (select(series, (Matcher(JOB, "=", f.JOB_COLLECTOR),)) for series in _QUEUES)
    return ask.expression("how full each queue is", binary(size, "/", capacity))


BOOK = {
    "Watchdog": Runbook(
        "Always fires. It proves that Prometheus evaluates rules and reaches Alertmanager.",
        "None while it fires. When it is missing in Alertmanager, no alert arrives there; whoever is"
        " called by the heartbeat (`alerting.heartbeat` in the profile) misses the call then.",
        "When it is missing: is Prometheus up, does it know Alertmanager"
        " ([PrometheusWithoutAlertmanager](./PrometheusWithoutAlertmanager.md)), do rules evaluate"
        " ([PrometheusRuleFailures](./PrometheusRuleFailures.md))?",
        lambda ask: (
            ask.api("what Alertmanager has", Asked.ALERTMANAGER, "/api/v2/alerts"),
            ask.foreign("what Prometheus has", f.ALERTS, alertname="Watchdog"),
            ask.log(Service.ALERTMANAGER),
        ),
    ),
    "PipelineTargetDown": Runbook(
        "Prometheus cannot scrape a program of the pipeline, or does not know it at all.",
        "otel-collector: traces and metrics stop. otel-collector-exporter: Loom's metrics stop. jaeger:"
        " traces are queued in the collector. prometheus, alertmanager: alerts stop.",
        "Read the program's log and start it again; `loom-deploy up` starts what is down and leaves the"
        " rest alone.",
        lambda ask: (
            ask.foreign("who is down", f.UP),
            ask.api("why", Asked.PROMETHEUS, "/api/v1/targets?state=active"),
            ask.shell("what runs", "loom-deploy status"),
            ask.shell("what it says", "loom-deploy logs"),
        ),
    ),
    "CollectorQueueNearlyFull": Runbook(
        "The collector's queue to a backend is more than 70 % full, or will be full within half an hour:"
        " the backend is away, or slower than what comes in.",
        "When the queue is full, new telemetry is refused, and senders lose it after a few retries.",
        "Bring the backend back: the queue empties by itself. If there is simply too much, raise"
        " `collector.queue.size` with `collector.memory`, or sample less.",
        lambda ask: (
            _fill(ask),
            ask.foreign("what leaves it", f.SENT_SPANS, "exporter"),
            ask.foreign("who is down", f.UP),
            ask.log(Service.COLLECTOR),
        ),
    ),
    "CollectorQueueFull": Runbook(
        "The collector's queue to a backend is more than 90 % full.",
        "What does not fit is refused: senders keep it for a while, then lose it and count it.",
        "As for [CollectorQueueNearlyFull](./CollectorQueueNearlyFull.md), but now.",
        lambda ask: (
            _fill(ask),
            ask.foreign("what leaves it", f.SENT_SPANS, "exporter"),
            ask.foreign("who is down", f.UP),
            ask.log(Service.COLLECTOR),
        ),
    ),
    "CollectorLosingData": Runbook(
        "Within fifteen minutes something did not fit into a queue of the collector, or was given up."
        f" {again('fifteen minutes')}",
        "These items are lost unless their senders try again.",
        "As for [CollectorDroppingData](./CollectorDroppingData.md), which fires when it goes on.",
        lambda ask: (
            ask.foreign("spans that did not fit", f.ENQUEUE_FAILED_SPANS, "exporter"),
            ask.foreign("spans that were given up", f.SEND_FAILED_SPANS, "exporter"),
            ask.log(Service.COLLECTOR),
        ),
    ),
    "PipelineProcessRestarting": Runbook(
        "A program of the pipeline was started four times or more within an hour: a collector, Jaeger,"
        " Prometheus, Alertmanager or Thanos. A collector starts anew at each step to a new authority,"
        " too. The canary, Grafana and the proxy do not say when they were started; `status` shows them.",
        "Each start costs what was in its memory, and the time until it is ready.",
        "The end of its log before the last start says why; without a word it was killed for want of"
        " memory: raise its"
        " limit in the profile, `collector.memory` or `memory`. A collector that ends with `invalid"
        " database`, `Page expected to be` or `SIGBUS` has a queue file that a power cut or a full disk has"
        " torn: move the file `exporter_…` out of its volume, then start it; what waited in it is lost."
        " `collector.queue.fsync: true` keeps it whole.",
        lambda ask: (
            ask.foreign("for how many seconds a collector, or Jaeger, has run", f.PROCESS_UPTIME),
            ask.foreign("when the others were started, as Unix time", f.PROCESS_START),
            ask.shell("who restarts", "loom-deploy status"),
            ask.shell("what they said", "loom-deploy logs"),
        ),
    ),
    "CollectorDroppingData": Runbook(
        "Items did not fit into the collector's queue, or were given up after all retries.",
        "These spans or metric points are lost unless their sender tries again.",
        "As for [CollectorQueueNearlyFull](./CollectorQueueNearlyFull.md). A permanent error in the log (a"
        " message too large, bad data) is not cured by retries.",
        lambda ask: (
            ask.foreign("spans that did not fit", f.ENQUEUE_FAILED_SPANS, "exporter"),
            ask.foreign("points that did not fit", f.ENQUEUE_FAILED_METRIC_POINTS, "exporter"),
            ask.foreign("spans that were given up", f.SEND_FAILED_SPANS, "exporter"),
            ask.foreign("points that were given up", f.SEND_FAILED_METRIC_POINTS, "exporter"),
            ask.log(Service.COLLECTOR),
        ),
    ),
    "CollectorRefusingData": Runbook(
        "The collector answers senders with an error: its queue is full, or its memory limit is reached.",
        "Senders retry for a while, then lose what they have.",
        "Queue: see [CollectorQueueNearlyFull](./CollectorQueueNearlyFull.md). Memory: see"
        " [CollectorOutOfMemory](./CollectorOutOfMemory.md).",
        lambda ask: (
            ask.foreign("spans that are refused", f.REFUSED_SPANS, "receiver", "transport"),
            ask.foreign("points that are refused", f.REFUSED_METRIC_POINTS, "receiver", "transport"),
            _fill(ask),
            ask.foreign("spans refused for want of memory", f.LIMITER_REFUSED_SPANS, "processor"),
        ),
    ),
    "CollectorOutOfMemory": Runbook(
        "The memory limiter refuses data so that the container is not killed.",
        "As for [CollectorRefusingData](./CollectorRefusingData.md); a crash would be worse.",
        "Raise `collector.memory` in the profile and render again: limiter and GOMEMLIMIT follow. Or send"
        " less.",
        lambda ask: (
            ask.foreign("memory it takes, in bytes", f.PROCESS_MEMORY),
            ask.foreign("what waits in its queues", f.QUEUE_SIZE),
            ask.foreign("spans that come in", f.ACCEPTED_SPANS, "receiver"),
        ),
    ),
    "JaegerRefusingSpans": Runbook(
        "Jaeger answers the collector with an error.",
        "None yet: the collector keeps the spans and tries again.",
        "Its log says why; mostly storage: see [JaegerNotStoring](./JaegerNotStoring.md) and"
        " [JaegerVolumeFilling](./JaegerVolumeFilling.md).",
        lambda ask: (
            ask.foreign("spans that are refused", f.REFUSED_SPANS, "receiver", job=f.JOB_JAEGER),
            _fill(ask),
            ask.log(Service.JAEGER),
        ),
    ),
    "JaegerNotStoring": Runbook(
        "Jaeger cannot write to its storage. It acknowledges nothing that it has not stored.",
        "No new traces are shown; the collector queues them.",
        "A full disk, wrong permissions on the volume, or a damaged store. Make room or shorten"
        " `tracing.retention`; a damaged store can be removed with its volume, with all traces in it.",
        lambda ask: (
            ask.foreign("spans that could not be stored", f.SEND_FAILED_SPANS, "exporter", job=f.JOB_JAEGER),
            ask.foreign("size of its store, in bytes", f.BADGER_VALUE_LOG_BYTES),
            ask.shell("room on the disks", "df -h"),
            ask.log(Service.JAEGER),
        ),
    ),
}
