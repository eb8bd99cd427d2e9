"""Who must hear of each alert, read from the profile and not from the rendered routes: the test of these.

`loom-deploy validate` has the real amtool route every alert, and compares.
"""

from dataclasses import dataclass

from loom.deploy.artifacts.alertmanager import configuration
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.place import below
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.files import alerts
from loom.deploy.artifacts.template import fill, quote
from loom.deploy.plan.model import Plan, Site
from loom.deploy.profile.routing import HEARTBEAT, NOBODY, REST, Route, Routing

ROUTES_TEST = "alertmanager/routes-test.yaml"
_TAKEN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Names that are no text in YAML."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One alert, by the labels it is routed by, and everybody who must hear of it."""

    labels: tuple[tuple[str, str], ...]
    receivers: tuple[str, ...]
    """In the order of the routes, as amtool names them."""

    @property
    def written(self) -> str:
        """The receivers between the brackets of a list: YAML takes some names for something else."""
        return ", ".join(quote(name) if name in _TAKEN else name for name in self.receivers)


def expectations(plan: Plan) -> tuple[Expectation, ...]:
    """Every alert of the profile."""
    return tuple(_expectation(plan.profile.alerting, alert) for alert in alerts(plan))


def artifact(plan: Plan) -> Artifact:
    """The test, for the configurations of both sites."""
    facts = {
        "files": [f"../{below(site, configuration.NAME)}" for site in Site],
        "expectations": expectations(plan),
    }
    description = "Test of Alertmanager's routes: for each alert, everybody who must hear of it."
    return Artifact(ROUTES_TEST, fill(f"{ROUTES_TEST}.j2", **facts), description, Check.AMTOOL_ROUTES)


def _expectation(routing: Routing, alert: Alert) -> Expectation:
    labels = {"alertname": alert.name, "severity": str(alert.severity), "component": alert.component}
    return Expectation(tuple(labels.items()), _hearers(routing, alert))


def _hearers(routing: Routing, alert: Alert) -> tuple[str, ...]:
    everybody = tuple(receiver.name for receiver in routing.receivers) or (NOBODY,)
    if alert.severity is Severity.NONE:
        return (HEARTBEAT if routing.heartbeat else NOBODY,)
    if not routing.routes:
        return everybody
    told = {route.receiver for route in routing.routes if _takes(routing, route, alert)}
    order = dict.fromkeys(
        route.receiver for route in routing.routes if route.severity in {None, str(alert.severity)}
    )
    return tuple(receiver for receiver in order if receiver in told) or everybody[:1]


def _takes(routing: Routing, route: Route, alert: Alert) -> bool:
    owner = next((team.name for team in routing.teams if alert.component in team.components), REST)
    return route.severity in {None, str(alert.severity)} and route.team in {None, owner}
