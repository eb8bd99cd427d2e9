"""Runbooks of Prometheus, Alertmanager and the disks."""

from loom.contract import foreign as f
from loom.contract.promql import binary, select
from loom.deploy.artifacts.runbooks.runbook import Asked, Runbook
from loom.deploy.plan.model import Service

_INVALID = "It runs on with the old one; the next restart will fail."
_RENDER = "Render again from the profile; do not edit rendered files by hand."
_UNSEEN = (
    " Only its own files are measured, against the number in the profile: a disk that is smaller, or that"
    " something else fills, raises no alert. `df` says how full it is."
)

BOOK = {
    "PrometheusRuleFailures": Runbook(
        "Rules could not be evaluated.",
        "Alerts that rest on them stay silent.",
        "Mostly two series where one is expected, because something else exports the same names.",
        lambda ask: (
            ask.foreign("which group", f.RULE_FAILURES, "rule_group"),
            ask.api("which rule, and why: lastError", Asked.PROMETHEUS, "/api/v1/rules"),
            ask.shell("whether the rules themselves are right", "loom-deploy validate --profile prod"),
            ask.log(Service.PROMETHEUS),
        ),
    ),
    "PrometheusConfigInvalid": Runbook(
        "Prometheus was told to load a configuration that it does not accept.",
        _INVALID,
        _RENDER,
        lambda ask: (
            ask.log(Service.PROMETHEUS),
            ask.shell(
                "whether the files are what the profile renders", "loom-deploy render --profile prod --check"
            ),
            ask.shell("whether the programs accept them", "loom-deploy validate --profile prod"),
        ),
    ),
    "AlertmanagerConfigInvalid": Runbook(
        "Alertmanager was told to load a configuration that it does not accept.",
        _INVALID,
        _RENDER,
        lambda ask: (
            ask.log(Service.ALERTMANAGER),
            ask.shell(
                "whether the files are what the profile renders", "loom-deploy render --profile prod --check"
            ),
            ask.shell("whether the programs accept them", "loom-deploy validate --profile prod"),
        ),
    ),
    "PrometheusWithoutAlertmanager": Runbook(
        "Prometheus knows no Alertmanager.",
        "Alerts fire, and nobody hears of them: this one is seen in Prometheus only, and by whoever misses"
        " the heartbeat.",
        "Is Alertmanager running, and does `alerting` in `prometheus.yml` name it? Render again, and start"
        " again.",
        lambda ask: (
            ask.api("whom it knows", Asked.PROMETHEUS, "/api/v1/alertmanagers"),
            ask.shell(
                "whether the files are what the profile renders", "loom-deploy render --profile prod --check"
            ),
        ),
    ),
    "PrometheusNotificationsDropped": Runbook(
        "Alerts did not get from Prometheus to Alertmanager.",
        "Notifications are late or missing.",
        "Bring Alertmanager back; alerts that still fire are sent again.",
        lambda ask: (
            ask.foreign("on the way to whom", f.NOTIFICATIONS_DROPPED, "alertmanager"),
            ask.api("whom it knows", Asked.PROMETHEUS, "/api/v1/alertmanagers"),
            ask.log(Service.ALERTMANAGER),
        ),
    ),
    "AlertmanagerNotificationsFailing": Runbook(
        "Alertmanager could not deliver notifications.",
        "The people behind the receiver hear nothing.",
        "Check the receiver's address in its secret file, that Alertmanager can read the file, and that"
        " the network lets it through.",
        lambda ask: (
            ask.foreign("which kind of receiver, and why", f.NOTIFICATIONS_FAILED, "integration", "reason"),
            ask.foreign("what is sent altogether", f.NOTIFICATIONS, "integration"),
            ask.log(Service.ALERTMANAGER),
        ),
    ),
    "PrometheusVolumeFilling": Runbook(
        "Blocks, write-ahead log and head take more than 90 % of what the profile gives Prometheus"
        f" (`volumes.prometheus`).{_UNSEEN}",
        "When the disk is full, nothing is recorded any more and nothing is alerted on.",
        "Lower `metrics.retention.size` in the profile, or enlarge the disk and `volumes.prometheus`. Many"
        " new series: see [LoomAttributeOverflow](./LoomAttributeOverflow.md).",
        lambda ask: (
            ask.foreign("blocks, in bytes", f.BLOCKS_BYTES),
            ask.foreign("write-ahead log, in bytes", f.WAL_BYTES),
            ask.foreign("series now", f.HEAD_SERIES),
            ask.api("which names have most of them", Asked.PROMETHEUS, "/api/v1/status/tsdb"),
            ask.shell("room on the disks", "df -h"),
        ),
    ),
    "JaegerVolumeFilling": Runbook(
        f"Traces take more than 90 % of what the profile gives Jaeger (`volumes.jaeger`).{_UNSEEN}",
        "When the disk is full, Jaeger stores nothing any more; see"
        " [JaegerNotStoring](./JaegerNotStoring.md).",
        "Shorten `tracing.retention`, sample less, or enlarge the disk and `volumes.jaeger`. Space is"
        " freed some time after traces expire.",
        lambda ask: (
            ask.expression(
                "size of its store, in bytes",
                binary(select(f.BADGER_LSM_BYTES), "+", select(f.BADGER_VALUE_LOG_BYTES)),
            ),
            ask.foreign("spans that come in", f.ACCEPTED_SPANS, "receiver", job=f.JOB_JAEGER),
            ask.shell("room on the disks", "df -h"),
        ),
    ),
    "PrometheusRulesLate": Runbook(
        "Rules take longer than the time between two evaluations, so that some are left out.",
        "Alerts are late, recorded series have gaps.",
        "Give Prometheus more of the processor, or make the rules cheaper: fewer series, a longer"
        " `metrics.scrape_interval`.",
        lambda ask: (
            ask.foreign("which group", f.RULE_GROUP_MISSED, "rule_group"),
            ask.api("how long each takes: evaluationTime", Asked.PROMETHEUS, "/api/v1/rules"),
            ask.foreign("how many series there are", f.HEAD_SERIES),
        ),
    ),
    "PrometheusSeriesAbovePlan": Runbook(
        "There are more series than the workload of the profile makes at most.",
        "None yet; memory and disk were sized for fewer.",
        "Find the label with too many values and bring it back into its budget, or write the workload"
        " that is there"
        " into the profile: `plan` then says what it takes.",
        lambda ask: (
            ask.foreign("how many there are", f.HEAD_SERIES),
            ask.api("which names and labels have most", Asked.PROMETHEUS, "/api/v1/status/tsdb"),
            ask.shell("what was planned", "loom-deploy plan --profile prod"),
        ),
    ),
    "PrometheusSeriesNearMemory": Runbook(
        "There are nearly more series than fit into Prometheus' memory.",
        "It is killed when they do not fit, and again when it has read its log at the next start.",
        "Raise `memory.prometheus` now; then as for"
        " [PrometheusSeriesAbovePlan](./PrometheusSeriesAbovePlan.md).",
        lambda ask: (
            ask.foreign("how many there are", f.HEAD_SERIES),
            ask.api("which names and labels have most", Asked.PROMETHEUS, "/api/v1/status/tsdb"),
        ),
    ),
    "PrometheusVolumeFull": Runbook(
        f"Prometheus' own files take 97 % of what the profile gives it (`volumes.prometheus`).{_UNSEEN}",
        "When the disk is full, no sample is written and no rule recorded: alerts go blind.",
        "Make room on the disk or raise `volumes.prometheus` with it; a smaller `metrics.retention.size`"
        " frees space"
        " within two hours.",
        lambda ask: (
            ask.foreign("how many series there are", f.HEAD_SERIES),
            ask.shell("room on the disks", "df -h"),
            ask.log(Service.PROMETHEUS),
        ),
    ),
    "JaegerVolumeFull": Runbook(
        f"Traces take 97 % of what the profile gives Jaeger (`volumes.jaeger`).{_UNSEEN}",
        "When the disk is full, no span is stored; the collector queues them until its own disk is full.",
        "Make room on the disk or raise `volumes.jaeger` with it; a shorter `tracing.retention` or a smaller"
        " `tracing.sampler` frees space as traces grow old.",
        lambda ask: (
            ask.foreign("size of its store, in bytes", f.BADGER_VALUE_LOG_BYTES),
            ask.shell("room on the disks", "df -h"),
            ask.log(Service.JAEGER),
        ),
    ),
}
