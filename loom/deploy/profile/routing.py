"""Who hears of an alert: receivers, teams, routes, the heartbeat.

An alert goes to the receiver of every route that it matches, and to the first receiver where none does.
Without routes every receiver hears of every alert. Addresses and keys are secrets: only the names of their
files stand here.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from loom.deploy.profile import forms
from loom.deploy.profile.quantity import Duration
from loom.deploy.profile.section import Name, SecretName, Section
from loom.deploy.profile.spelling import meant

Severity = Literal["critical", "warning"]
Component = Annotated[str, StringConstraints(pattern=forms.COMPONENT)]
Address = Annotated[str, StringConstraints(pattern=forms.ADDRESS)]
NOBODY, HEARTBEAT = "nobody", "heartbeat"
"""Receivers that are always there: one that calls nobody, which a route may name, and the heartbeat's."""
REST = "platform"
"""The team of every component that is in no other team."""
_CALLS = ("url_secret", "slack", "email", "pagerduty")
Fault = tuple[str, str, str]
"""Path of a value of the profile, what is wrong with it, and a hint."""


class Slack(Section):
    """A channel of Slack, or of what speaks its protocol."""

    url_secret: SecretName
    """Name of the secret that holds the URL of the incoming webhook."""
    channel: Annotated[str, StringConstraints(pattern=forms.CHANNEL)]
    """The channel, as `#alerts`; put it in quotes."""


class Email(Section):
    """A mailbox; the connection to the mail server is always encrypted."""

    to: Address
    """Who gets it."""
    sender: Address
    """Who it comes from."""
    smarthost: Annotated[str, StringConstraints(pattern=forms.HOST_PORT)]
    """The mail server: `smtp.example.org:587`."""
    username: Annotated[str, StringConstraints(pattern=forms.USER)] | None = None
    """Who logs in there."""
    password_secret: SecretName | None = None
    """Name of the secret that holds the password."""


class PagerDuty(Section):
    """A service of PagerDuty."""

    key_secret: SecretName
    """Name of the secret that holds the integration's routing key."""


class Receiver(Section):
    """Somebody who is told, in one way or in several."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [key]} for key in _CALLS]})

    name: Name
    """Name of the receiver."""
    url_secret: SecretName | None = None
    """A webhook: name of the secret that holds its URL."""
    slack: Slack | None = None
    """A channel."""
    email: Email | None = None
    """A mailbox."""
    pagerduty: PagerDuty | None = None
    """A pager."""

    @model_validator(mode="after")
    def _called(self) -> "Receiver":
        if all(getattr(self, key) is None for key in _CALLS):
            kind, message = "silent", "calls nobody"
            raise PydanticCustomError(kind, message, {"hint": f"write one of {', '.join(_CALLS)}"})
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the secrets that it needs."""
        named = (
            self.url_secret,
            self.slack and self.slack.url_secret,
            self.email and self.email.password_secret,
            self.pagerduty and self.pagerduty.key_secret,
        )
        return tuple(name for name in named if name)


class Team(Section):
    """People who look after some components."""

    name: Name
    """Name of the team."""
    components: tuple[Component, ...] = Field(strict=False)
    """The label `component` of the alerts that are theirs: `loom.event_bus`, `jaeger`."""


class Route(Section):
    """Which alerts a receiver hears of: those that match everything that is written here."""

    severity: Severity | None = None
    """Only alerts that are as bad as this, no more and no less."""
    team: Name | None = None
    """Only this team's; `platform` has every component that no other team has."""
    receiver: Name
    """Who is told; `nobody` is allowed."""


class Heartbeat(Section):
    """A dead man's switch: somebody outside is called while alerting works, and notices when it stops."""

    url_secret: SecretName
    """Name of the secret that holds the URL that is called."""
    interval: Duration = Duration.parse("5m")
    """How often."""


class Repeat(Section):
    """How often an alert that goes on is repeated."""

    critical: Duration = Duration.parse("1h")
    """One that is critical."""
    warning: Duration = Duration.parse("12h")
    """One that is not."""


class Routing(Section):
    """The part of `alerting` that is about people."""

    receivers: tuple[Receiver, ...] = Field(default=(), strict=False)
    """Nobody is called when it is empty; alerts show in Alertmanager all the same."""
    teams: tuple[Team, ...] = Field(default=(), strict=False)
    """Who looks after what; what is in no team is `platform`."""
    routes: tuple[Route, ...] = Field(default=(), strict=False)
    """Who hears of what; everybody of everything when it is empty."""
    heartbeat: Heartbeat | None = None
    """Whom Alertmanager calls every few minutes to say that it lives."""
    repeat: Repeat = Repeat()
    """How often an alert that goes on is repeated."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of all secrets that Alertmanager needs, each once, in order."""
        beat = (self.heartbeat.url_secret,) if self.heartbeat else ()
        return tuple(sorted({*beat, *(name for receiver in self.receivers for name in receiver.secrets)}))

    @property
    def addresses(self) -> frozenset[str]:
        """Names of those secrets that are addresses."""
        webhooks = (one.url_secret for one in self.receivers)
        channels = (one.slack.url_secret for one in self.receivers if one.slack)
        beat = (self.heartbeat.url_secret,) if self.heartbeat else ()
        return frozenset(name for name in (*webhooks, *channels, *beat) if name)


_OURS = frozenset({"password", "token", "users", "admin_password"})
"""Files that `loom-deploy secrets` makes in the same folder."""


def faults(routing: Routing) -> Iterator[Fault]:
    """What does not fit together, with paths below the profile."""
    for name in sorted(set(routing.secrets) & _OURS):
        yield (
            "alerting",
            f"the secret {name!r} is a file that is made for Alertmanager",
            "choose another name",
        )
    yield from _receivers(routing)
    yield from _routes(routing)
    yield from _teams(routing)
    if routing.heartbeat and routing.heartbeat.interval.seconds < 1:
        message = f"{routing.heartbeat.interval} is too short: Alertmanager would call without a pause"
        yield "alerting.heartbeat.interval", message, "write at least 1s"
    for severity in Repeat.model_fields:
        if getattr(routing.repeat, severity).base > _LONGEST.base:
            path = f"alerting.repeat.{severity}"
            yield path, f"Alertmanager forgets after {_LONGEST} whom it told", f"write at most {_LONGEST}"


_LONGEST = Duration.parse("120h")
"""Alertmanager's own `--data.retention`."""


def _receivers(routing: Routing) -> Iterator[Fault]:
    for number, receiver in enumerate(routing.receivers):
        path = f"alerting.receivers.{number}"
        if receiver.name in {NOBODY, HEARTBEAT}:
            yield f"{path}.name", f"{receiver.name!r} is a receiver of ours", "choose another name"
        if receiver.email and (receiver.email.username is None) != (receiver.email.password_secret is None):
            yield (
                f"{path}.email",
                "a login is a user and a password",
                "write username and password_secret, or neither",
            )


def _routes(routing: Routing) -> Iterator[Fault]:
    receivers = [NOBODY, *(receiver.name for receiver in routing.receivers)]
    teams = [REST, *(team.name for team in routing.teams)]
    for number, route in enumerate(routing.routes):
        path = f"alerting.routes.{number}"
        if route.receiver not in receivers:
            message = f"there is no receiver {route.receiver!r}"
            yield f"{path}.receiver", message, meant(route.receiver, receivers)
        if route.team and route.team not in teams:
            yield f"{path}.team", f"there is no team {route.team!r}", meant(route.team, teams)


def _teams(routing: Routing) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for number, team in enumerate(routing.teams):
        path = f"alerting.teams.{number}"
        if team.name == REST or team.name in owner.values():
            message = (
                f"{team.name!r} is the rest" if team.name == REST else f"two teams are called {team.name!r}"
            )
            yield f"{path}.name", message, "choose another name"
        if not team.components:
            yield f"{path}.components", "has none", f"write them; every other component is {REST}'s anyway"
        for component in team.components:
            if component in owner:
                message = f"{component} belongs to {owner[component]} already"
                yield f"{path}.components", message, "write it once"
            owner[component] = team.name
