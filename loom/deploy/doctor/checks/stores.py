"""Prometheus and Alertmanager: targets, rules, and whether alerts can leave."""

import math
from collections.abc import Mapping
from datetime import datetime

from loom.deploy.doctor.checks import steps
from loom.deploy.doctor.checks.machine import CERTIFICATES, DISK
from loom.deploy.doctor.checks.services import answers, runs
from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok
from loom.deploy.doctor.questions import ALERTMANAGERS, RULES, TARGETS
from loom.deploy.doctor.stack import Endpoint
from loom.deploy.plan.model import Service

TARGETS_UP, RULES_LOADED, ALERTS_LEAVE = "targets", "rules", "alertmanager-reached"
_TARGETS = 10.0
"""Seconds: Prometheus takes up its targets five after its start, and scrapes them then."""
_STARTING = 2.0
"""Seconds: uptimes are whole ones, and a program listens only after a moment."""
_NO_PROMETHEUS = not_applicable(f"no address of Prometheus (--endpoint {Endpoint.PROMETHEUS}=…)")
_SILENT = cannot_tell("Prometheus does not say")


def judge_targets(evidence: Evidence) -> Judgement:
    """Every scraped target is up."""
    data = evidence.data(TARGETS)
    if data is None:
        return _missing(evidence)
    rows = data["activeTargets"]
    began = _began(evidence)
    down = [row for row in rows if row["health"] == "down"]
    waiting = [
        row for row in rows if row["health"] not in {"up", "down"} or _scraped(row) < began + _STARTING
    ]
    said = "; ".join(f"{row['scrapePool']} {row['scrapeUrl']}: {row['lastError']}" for row in down)
    if (down and all(row in waiting for row in down)) or (not rows and evidence.now < began + _TARGETS):
        return cannot_tell(
            said or "Prometheus has just started", "wait for two scrape intervals, and ask again"
        )
    if not rows:
        return broken("Prometheus scrapes nothing", "give prometheus.yml its scrape_configs: render again")
    if down:
        pool = down[0]["scrapePool"]
        return broken(said, f"start what {pool} scrapes, or correct its address in prometheus.yml")
    return ok(f"{len(rows)} targets, none is down")


def judge_rules(evidence: Evidence) -> Judgement:
    """Rules are loaded, and evaluate."""
    data = evidence.data(RULES)
    if data is None:
        return _missing(evidence)
    rules = [rule for group in data["groups"] for rule in group["rules"]]
    if not rules and evidence.stack.plan is None:
        return not_applicable("Prometheus has no rules")
    if not rules:
        return broken("Prometheus has loaded no rule", "see rule_files of prometheus.yml; render again")
    failing = [rule for rule in rules if rule["health"] == "err"]
    if failing:
        said = "; ".join(f"{rule['name']}: {rule.get('lastError', '')}" for rule in failing[:3])
        return broken(
            f"{len(failing)} of {len(rules)} rules fail: {said}", "correct them; promtool check rules"
        )
    return ok(f"{len(rules)} rules, none fails")


def judge_alertmanagers(evidence: Evidence) -> Judgement:
    """Prometheus knows an Alertmanager."""
    data = evidence.data(ALERTMANAGERS)
    if data is None:
        return _missing(evidence)
    known = [row["url"] for row in data["activeAlertmanagers"]]
    if known:
        return ok(f"alerts go to {', '.join(known)}")
    if evidence.stack.plan is None:
        return not_applicable("Prometheus is given no Alertmanager")
    return broken(
        "Prometheus knows no Alertmanager", "give prometheus.yml its alerting section: render again"
    )


def _began(evidence: Evidence) -> float:
    """When the last of the services was started, in seconds since 1970; 0 when unknown."""
    living = [status.uptime for status in evidence.statuses if status.pid or status.ready]
    return evidence.now - min(living) if living else 0.0


def _scraped(row: Mapping[str, str]) -> float:
    """When a target was scraped the last time, in seconds since 1970."""
    try:
        return datetime.fromisoformat(row.get("lastScrape", "")).timestamp()
    except ValueError:
        return math.inf


def _missing(evidence: Evidence) -> Judgement:
    return _SILENT if Endpoint.PROMETHEUS in evidence.stack.endpoints else _NO_PROMETHEUS


_PROMETHEUS = (DISK, CERTIFICATES, runs(Service.PROMETHEUS), answers(Service.PROMETHEUS))
_OTHERS = (Service.COLLECTOR, Service.JAEGER, Service.ALERTMANAGER)
_SCRAPED = tuple(check(service) for service in _OTHERS for check in (runs, answers))
CHECKS = (
    Check(
        TARGETS_UP,
        "Every target of Prometheus is up",
        steps.TARGETS,
        judge_targets,
        (*_PROMETHEUS, *_SCRAPED),
    ),
    Check(RULES_LOADED, "Rules are loaded and evaluate", steps.BEYOND, judge_rules, _PROMETHEUS),
    Check(
        ALERTS_LEAVE,
        "Prometheus reaches Alertmanager",
        steps.ALERTING,
        judge_alertmanagers,
        (*_PROMETHEUS, runs(Service.ALERTMANAGER), answers(Service.ALERTMANAGER)),
    ),
)
