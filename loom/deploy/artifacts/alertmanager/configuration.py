"""Alertmanager's configuration: the tree of routes, what silences what, and the receivers."""

from collections.abc import Iterator
from dataclasses import dataclass

from loom.contract.resource import ENVIRONMENT_LABEL, JOB
from loom.deploy.artifacts.alertmanager import inhibition
from loom.deploy.artifacts.alertmanager.matching import ALL, Selection, equal
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.place import below, suffix
from loom.deploy.artifacts.rules.alert import Severity
from loom.deploy.artifacts.rules.files import alerts
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan, Service, Site
from loom.deploy.profile.quantity import Duration
from loom.deploy.profile.routing import HEARTBEAT, NOBODY, REST, Receiver, Route, Routing

NAME = "alertmanager.yml"
SECRETS = "secrets"
"""Folder of the secrets, beside the compose file, a folder in it for each service. It is never rendered."""
FLAGS = ("--cluster.listen-address=",)
"""Command-line flags besides paths and addresses: a single instance needs no gossip port."""
PULSE = "Watchdog"
"""The alert that always fires."""
WAITS = {Severity.CRITICAL: ("10s", "1m"), Severity.WARNING: ("30s", "5m")}
"""How long the first alert of a group waits for others, and how long later ones do."""
_TITLE = "[{{ .Status | toUpper }}] {{ .CommonLabels.severity }}: {{ (index .Alerts 0).Annotations.summary }}"
_TEXT = "{{ range .Alerts }}{{ .Annotations.description }} {{ .Annotations.runbook_url }}\n{{ end }}"
_SEVERITY = '{{ if eq .CommonLabels.severity "critical" }}critical{{ else }}warning{{ end }}'


@dataclass(frozen=True, slots=True)
class Branch:
    """The routes of one severity."""

    severity: Severity
    wait: str
    interval: str
    repeat: Duration
    leaves: tuple[tuple[str, str], ...]
    """Receiver, and the matcher on components; empty for all of them."""


def secret(name: str, site: Site) -> str:
    """The file of a secret as Alertmanager reaches it."""
    folder = "/run/secrets" if site is Site.COMPOSE else f"../{SECRETS}/{Service.ALERTMANAGER}"
    return f"{folder}/{name}"


def artifact(plan: Plan, site: Site) -> Artifact:
    """The configuration for one site."""
    routing = plan.profile.alerting
    facts = {
        "job": JOB,
        "environment_label": ENVIRONMENT_LABEL,
        "nobody": NOBODY,
        "last": routing.receivers[0].name if routing.receivers else NOBODY,
        "pulse": equal("alertname", PULSE),
        "heartbeat": _heartbeat(routing, site),
        "branches": tuple(_branches(routing)),
        "inhibitions": inhibition.rules(plan, {alert.name for alert in alerts(plan)}),
        "receivers": [_receiver(receiver, site) for receiver in routing.receivers],
        "title": _TITLE,
        "text": _TEXT,
        "severity": _SEVERITY,
    }
    description = f"Alertmanager: routes, grouping, inhibition and receivers of alerts{suffix(site)}."
    return Artifact(below(site, NAME), fill(f"alertmanager/{NAME}.j2", **facts), description, Check.AMTOOL)


def _branches(routing: Routing) -> Iterator[Branch]:
    for severity, (wait, interval) in WAITS.items():
        repeat: Duration = getattr(routing.repeat, severity)
        chosen = [route for route in routing.routes if route.severity in {None, severity}]
        # Without routes every receiver hears of everything.
        chosen = chosen if routing.routes else [Route(receiver=each.name) for each in routing.receivers]
        leaves: dict[str, Selection] = {}
        for route in chosen:
            # A receiver once: by two routes it would be told twice.
            taken = _components(routing, route)
            leaves[route.receiver] = leaves.get(route.receiver, taken) | taken
        told = tuple((receiver, selection.matcher("component")) for receiver, selection in leaves.items())
        yield Branch(severity, wait, interval, repeat, told)


def _components(routing: Routing, route: Route) -> Selection:
    if route.team is None:
        return ALL
    if route.team != REST:
        return Selection(
            frozenset(next(team for team in routing.teams if team.name == route.team).components)
        )
    return Selection(frozenset(each for team in routing.teams for each in team.components), but=True)


def _heartbeat(routing: Routing, site: Site) -> dict[str, object]:
    """Its receiver; one that is called after the interval, not after two, must repeat a little faster."""
    beat = routing.heartbeat
    if beat is None:
        return {}
    return {
        "name": HEARTBEAT,
        "file": secret(beat.url_secret, site),
        "interval": beat.interval,
        "repeat": f"{beat.interval.base * 9 // 10}ms",
    }


def _receiver(receiver: Receiver, site: Site) -> dict[str, object]:
    def file(name: str | None) -> str:
        return secret(name, site) if name else ""

    slack, email, pager = receiver.slack, receiver.email, receiver.pagerduty
    return {
        "name": receiver.name,
        "url_file": file(receiver.url_secret),
        "slack": slack and {"url_file": file(slack.url_secret), "channel": slack.channel},
        "email": email and {**email.model_dump(), "password_file": file(email.password_secret)},
        "pagerduty": pager and {"key_file": file(pager.key_secret)},
    }
