"""Rule files and their tests, from recordings and alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from loom.contract import foreign, recording
from loom.contract.objective import FAMILIES, group
from loom.contract.promql import Matcher, select
from loom.contract.series import Series
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.rules import (
    agents,
    calls,
    canary,
    collector,
    events,
    objective,
    outward,
    pipeline,
    storage,
    telemetry,
    tools,
    volume,
)
from loom.deploy.artifacts.rules.alert import Alert
from loom.deploy.artifacts.rules.course import minutes
from loom.deploy.artifacts.rules.scene import Input, Look, Scene, Unmetered
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan
from loom.deploy.plan.objectives import objectives

RECORDING = "prometheus/rules/loom-recording.yaml"
OBJECTIVES = "prometheus/rules/loom-objectives.yaml"
ALERTS = "prometheus/rules/loom-alerts.yaml"
PIPELINE = "prometheus/rules/pipeline-alerts.yaml"
TESTS = "prometheus/tests"
LATE = 60
"""Minute at which nothing more can happen without any data."""


_PLANS = 4
"""Plans whose alerts are kept: several artifacts are made from them, and their proofs are worked out."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What Prometheus must answer at a minute when asked for the firing alerts of a name."""

    minute: int
    query: str
    results: tuple[str, ...]
    """Each alert that fires, with all of its labels."""


@dataclass(frozen=True, slots=True)
class Case:
    """One rule test."""

    name: str
    inputs: tuple[Input, ...]
    expectations: tuple[Expectation, ...]


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """Recording rules, three files of alerts, and tests of the alerts."""
    subjects = (
        ("objectives", OBJECTIVES, objective_alerts(plan), "Alerts on the service level objectives."),
        ("loom", ALERTS, loom_alerts(plan), "Alerts on Loom."),
        ("pipeline", PIPELINE, pipeline_alerts(plan), "Alerts on the observability pipeline itself."),
    )
    found = [_recording(plan)]
    for subject, path, chosen, description in subjects:
        if chosen:
            found += [_alerts(plan, path, chosen, description), _tests(subject, chosen, path)]
    return tuple(found)


@lru_cache(maxsize=_PLANS)
def objective_alerts(plan: Plan) -> tuple[Alert, ...]:
    """Every alert on the objectives."""
    return objective.alerts(plan)


@lru_cache(maxsize=_PLANS)
def loom_alerts(plan: Plan) -> tuple[Alert, ...]:
    """Every alert on Loom but those on its objectives."""
    return (
        *events.alerts(plan),
        *calls.alerts(plan),
        *agents.alerts(plan),
        *tools.alerts(plan),
        *telemetry.alerts(plan),
    )


@lru_cache(maxsize=_PLANS)
def pipeline_alerts(plan: Plan) -> tuple[Alert, ...]:
    """Every alert on the pipeline."""
    return (
        *pipeline.alerts(plan),
        *collector.alerts(plan),
        *storage.alerts(plan),
        *volume.alerts(plan),
        *outward.alerts(plan),
        *canary.alerts(plan),
    )


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """Every alert."""
    return (*objective_alerts(plan), *loom_alerts(plan), *pipeline_alerts(plan))


def groups(plan: Plan) -> tuple[recording.Group, ...]:
    """Every recording rule."""
    watched = objectives(plan)
    slo = (group(plan.naming, watched),) if watched else ()
    return (*recording.groups(plan.naming), *slo)


def recorded(plan: Plan) -> tuple[Series, ...]:
    """Every recorded series, each name once."""
    names = {one.series.name for each in groups(plan) for one in each.recordings}
    return (*recording.series(plan.naming), *(series for series in FAMILIES if series.name in names))


def cases(alert: Alert) -> tuple[Case, ...]:
    """A test for each of its scenes."""
    return tuple(_case(alert, scene) for scene in alert.proof.all)


def silence(alerts: Sequence[Alert]) -> Case:
    """Without any data: one test asks for all alerts at once, before and after those on absence fire."""
    return Case("without data", (), tuple(each for alert in alerts for each in _silent(alert)))


def _case(alert: Alert, scene: Scene) -> Case:
    asked = tuple(_expected(alert, look, _labels(alert, scene)) for look in scene.looks)
    return Case(f"{alert.name} {scene.kind}: {scene.about}", scene.inputs, asked)


def _silent(alert: Alert) -> tuple[Expectation, ...]:
    hold, fires = minutes(alert.hold), bool(alert.proof.silent)
    looks = {Look(LATE, fires), Look(hold, fires), *([Look(hold - 1, fires=False)] if hold else [])}
    return tuple(
        _expected(alert, look, alert.proof.silent) for look in sorted(looks, key=lambda look: look.minute)
    )


def _expected(alert: Alert, look: Look, labels: Sequence[Mapping[str, str]]) -> Expectation:
    which = {"alertname": alert.name, "alertstate": "firing"}
    query = str(select(foreign.ALERTS, (Matcher(name, "=", value) for name, value in which.items())))
    results = (_spelt({**which, **alert.labels, **own}) for own in labels)
    return Expectation(look.minute, query, tuple(results) if look.fires else ())


def _labels(alert: Alert, scene: Scene) -> tuple[Mapping[str, str], ...]:
    """Of each label that the expression leaves, the value that the first input with that label has."""
    carried = [one.carried for one in reversed(scene.inputs)]
    own = {name: labels[name] for labels in carried for name in labels if name in alert.expression.labels}
    return scene.labels or (own,)


def _spelt(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{labels[name]}"' for name in sorted(labels))
    return f"{foreign.ALERTS.name}{{{inner}}}"


def _recording(plan: Plan) -> Artifact:
    text = fill("prometheus/recording.yaml.j2", groups=groups(plan))
    description = (
        "Recorded rates, latencies and failure ratios; burn rates and what is left of error budgets."
    )
    return Artifact(RECORDING, text, description, Check.PROMTOOL_RULES)


def _alerts(plan: Plan, path: str, chosen: Sequence[Alert], description: str) -> Artifact:
    components = list(dict.fromkeys(alert.component for alert in chosen))
    stem = path.rpartition("/")[2].partition(".")[0]
    found = [
        (f"{stem}.{name}", [alert for alert in chosen if alert.component == name]) for name in components
    ]
    text = fill("prometheus/alerts.yaml.j2", groups=found, runbooks=plan.profile.alerting.runbook_base)
    return Artifact(path, text, description, Check.PROMTOOL_RULES)


def _tests(subject: str, chosen: Sequence[Alert], rules: str) -> Artifact:
    unmetered = [(alert.name, alert.proof.little) for alert in chosen]
    facts = {
        "rules": [f"../{rules.removeprefix('prometheus/')}"],
        "cases": [silence(chosen), *(case for alert in chosen for case in cases(alert))],
        "unmetered": [(name, why.reason) for name, why in unmetered if isinstance(why, Unmetered)],
    }
    description = f"Tests of the alerts on {subject}: fires, is quiet, low traffic, no data."
    text = fill("prometheus/tests.yaml.j2", **facts)
    return Artifact(f"{TESTS}/{subject}-alerts-test.yaml", text, description, Check.PROMTOOL_TEST)
