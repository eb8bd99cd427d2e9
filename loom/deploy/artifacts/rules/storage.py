"""Alerts on Jaeger, Prometheus and Alertmanager: what they cannot take, load, evaluate or hand on."""

from loom.contract import foreign as f
from loom.contract.promql import Expression, Matcher, above, binary, scalar, select
from loom.contract.resource import JOB
from loom.contract.series import Series
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, held
from loom.deploy.artifacts.rules.scene import Input
from loom.deploy.artifacts.rules.staging import Level
from loom.deploy.artifacts.rules.trouble import Trouble
from loom.deploy.plan.estimate import STACK_SERIES, series_within
from loom.deploy.plan.model import Plan

NEAR = 0.9
"""Share of the series for which there is memory."""


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """Jaeger, rules and configuration, the way of an alert, the number of series."""
    return (
        *(trouble.alert() for trouble in _TROUBLES),
        _invalid("PrometheusConfigInvalid", f.PROMETHEUS_CONFIG_LOADED, f.JOB_PROMETHEUS),
        _invalid("AlertmanagerConfigInvalid", f.ALERTMANAGER_CONFIG_LOADED, f.JOB_ALERTMANAGER),
        _no_alertmanager(),
        _above_plan(plan),
        _near_memory(plan),
    )


_GROUP = {"rule_group": "loom-alerts.yaml;loom.agent"}
_TROUBLES = (
    Trouble(
        "JaegerRefusingSpans",
        (f.REFUSED_SPANS,),
        (f.JOB_JAEGER,),
        "5m",
        "5m",
        Severity.WARNING,
        "Jaeger refuses spans",
        "{{ $value | humanize }} spans were refused in five minutes; the collector keeps and repeats them.",
    ),
    Trouble(
        "JaegerNotStoring",
        (f.SEND_FAILED_SPANS,),
        (f.JOB_JAEGER,),
        "5m",
        "5m",
        Severity.CRITICAL,
        "Jaeger cannot write to its storage",
        "{{ $value | humanize }} spans could not be stored in five minutes.",
    ),
    Trouble(
        "PrometheusRuleFailures",
        (f.RULE_FAILURES,),
        (f.JOB_PROMETHEUS,),
        "5m",
        "5m",
        Severity.CRITICAL,
        "Rules fail: alerts may stay silent",
        "{{ $value | humanize }} evaluations of {{ $labels.rule_group }} failed in five minutes.",
        _GROUP,
    ),
    Trouble(
        "PrometheusRulesLate",
        (f.RULE_GROUP_MISSED,),
        (f.JOB_PROMETHEUS,),
        "10m",
        "10m",
        Severity.WARNING,
        "Rules take longer than the time between two evaluations",
        "{{ $value | humanize }} evaluations of {{ $labels.rule_group }} were left out in ten minutes.",
        _GROUP,
    ),
    Trouble(
        "PrometheusNotificationsDropped",
        (f.NOTIFICATIONS_DROPPED,),
        (f.JOB_PROMETHEUS,),
        "10m",
        "10m",
        Severity.WARNING,
        "Alerts do not reach Alertmanager",
        "{{ $value | humanize }} alerts were dropped on the way in ten minutes.",
    ),
    Trouble(
        "AlertmanagerNotificationsFailing",
        (f.NOTIFICATIONS_FAILED,),
        (f.JOB_ALERTMANAGER,),
        "10m",
        "10m",
        Severity.CRITICAL,
        "Notifications do not reach their receiver",
        "{{ $value | humanize }} notifications by {{ $labels.integration }} failed in ten minutes"
        " ({{ $labels.reason }}).",
        {"integration": "webhook", "reason": "other"},
    ),
)


def _invalid(name: str, series: Series, job: str) -> Alert:
    return Alert(
        name,
        binary(select(series), "==", scalar(0)),
        "5m",
        Severity.WARNING,
        job,
        "{{ $labels.job }} could not load its configuration",
        "It runs on with the one before; the next restart will fail.",
        Level(1.0, 0.0, 1.0, "5m", lambda course: (Input(series, course, {JOB: job}),)).proof(),
    )


def _no_alertmanager() -> Alert:
    def discovered(course: Course) -> tuple[Input, ...]:
        return (Input(f.ALERTMANAGERS_DISCOVERED, course, {JOB: f.JOB_PROMETHEUS}),)

    return Alert(
        "PrometheusWithoutAlertmanager",
        binary(select(f.ALERTMANAGERS_DISCOVERED), "==", scalar(0)),
        "5m",
        Severity.WARNING,
        f.JOB_PROMETHEUS,
        "Prometheus knows no Alertmanager",
        "It has {{ $value | humanize }}: alerts fire and nobody hears of them.",
        Level(2.0, 0.0, 1.0, "5m", discovered).proof(),
    )


def _head(course: Course) -> tuple[Input, ...]:
    """Ours, and another's that is scraped too and has many more."""
    other = held((1e12, len(course)))
    return (
        Input(f.HEAD_SERIES, course, {JOB: f.JOB_PROMETHEUS}),
        Input(f.HEAD_SERIES, other, {JOB: "another"}),
    )


def _series() -> Expression:
    return select(f.HEAD_SERIES, (Matcher(JOB, "=", f.JOB_PROMETHEUS),))


def _above_plan(plan: Plan) -> Alert:
    planned = float(plan.estimate.series + STACK_SERIES)
    return Alert(
        "PrometheusSeriesAbovePlan",
        above(_series(), planned),
        "30m",
        Severity.WARNING,
        f.JOB_PROMETHEUS,
        "There are more series than the profile was planned for",
        f"{{{{ $value | humanize }}}} series, where the workload of the profile makes {planned:,.0f} at most:"
        " a label has too many values, or the workload is another.",
        Level(planned * 0.5, planned + 10, planned - 10, "30m", _head).proof(),
    )


def _near_memory(plan: Plan) -> Alert:
    room = float(round(series_within(plan.profile.memory.prometheus.base) * NEAR))
    return Alert(
        "PrometheusSeriesNearMemory",
        above(_series(), room),
        "5m",
        Severity.CRITICAL,
        f.JOB_PROMETHEUS,
        "There are nearly more series than Prometheus has memory for",
        f"{{{{ $value | humanize }}}} series; about {room:,.0f} fit into nine tenths of its"
        f" {plan.profile.memory.prometheus}.",
        Level(room * 0.5, room + 10, room - 10, "5m", _head).proof(),
    )
