"""Runbooks of the canary, and of the certificates that it looks at."""

from loom.contract import canary
from loom.deploy.artifacts.runbooks.runbook import Asked, Runbook

_ROTATE = (
    "`loom-deploy certs rotate --profile prod` makes new ones while everything runs; with an authority of"
    " your own,"
    " put the new files into the party's folder. `certs check` says what is wrong where."
)

BOOK = {
    "CanaryMissing": Runbook(
        "The canary sends a trace and a metric through the real ingress, again and again, and has not found"
        " a new one in its store for five minutes, or it does not run.",
        "What Loom sends may be lost, whatever says that it is healthy.",
        "Failures at `send`: the ingress refuses it, so look at the collector and at the canary's"
        " certificate."
        " Failures at `lookup`: what was acknowledged does not come out, so look at queues and stores. No"
        " failures and"
        " no rounds: the canary itself is down.",
        lambda ask: (
            ask.foreign("at which stage rounds fail", canary.FAILURES, "signal", "stage"),
            ask.foreign("how many rounds there are", canary.ATTEMPTS, "signal"),
            ask.shell("what the canary says", "loom-deploy logs canary"),
            ask.shell("the one thing that is broken", "loom-deploy doctor --profile prod"),
        ),
    ),
    "CanaryFailing": Runbook(
        "Some rounds of the canary ended without an arrival, others did not.",
        "Telemetry arrives late, or a part of it is lost.",
        "As for [CanaryMissing](./CanaryMissing.md): the label `stage` says on which side of the"
        " collector to look.",
        lambda ask: (
            ask.foreign("how long a round takes, in seconds", canary.ROUND_TRIP),
            ask.shell("what the canary says", "loom-deploy logs canary"),
            ask.shell("what arrives, and where the rest is lost", "loom-deploy verify --profile prod"),
        ),
    ),
    "PipelineServiceDown": Runbook(
        "The canary finds nobody at the port of a service that Prometheus does not scrape: Grafana, or the"
        " proxy in front of Jaeger's pages.",
        "Nothing is lost: telemetry is taken, stored and alerted on. grafana: dashboards do not open. proxy:"
        " Jaeger's pages do not open.",
        "Read its log and start it again; `loom-deploy up` starts what is down and leaves the rest alone."
        " Where Grafana cannot be had at all it stays down: silence the alert.",
        lambda ask: (
            ask.foreign("which ports are open", canary.PORT_OPEN),
            ask.shell("what runs", "loom-deploy status"),
            ask.shell("what it says", "loom-deploy logs"),
        ),
    ),
    "CertificateExpiring": Runbook(
        "A certificate ends within fourteen days: the canary's own (`own`), or the one that a port shows.",
        "None yet.",
        _ROTATE,
        lambda ask: (
            ask.foreign("when each ends, as Unix time", canary.CERTIFICATE_EXPIRY),
            ask.shell("every certificate", "loom-deploy certs check --profile prod"),
        ),
    ),
    "CertificateExpiringNow": Runbook(
        "A certificate ends within three days, or has ended.",
        "From then on nobody trusts its holder: spans queue up, targets are down, pages do not open.",
        _ROTATE,
        lambda ask: (
            ask.foreign("when each ends, as Unix time", canary.CERTIFICATE_EXPIRY),
            ask.shell("every certificate", "loom-deploy certs check --profile prod"),
            ask.api(
                "whom Prometheus cannot scrape any more", Asked.PROMETHEUS, "/api/v1/targets?state=active"
            ),
        ),
    ),
}
