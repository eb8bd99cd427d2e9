"""Who must prove itself, and with what: certificates and secrets, from the edge graph. Data."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from loom.deploy.plan.edges import LOOM, OPERATOR, PROBE
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Method, Plan, Service

CA, CERTIFICATE, KEY = "ca.pem", "cert.pem", "key.pem"
"""Files of an identity's folder: whom it trusts, who it is, and the proof."""
PASSWORD, TOKEN, ADMIN, WEB, USERS = "password", "token", "admin_password", "web.yml", "users"
"""Files of a party's folder: what it calls others with, what Grafana's first user logs in with, what a server
knows callers by: Prometheus' and Alertmanager's web configuration, the proxy's users."""
FOLDER = "secrets"
"""Below the rendered files; a folder for each party. It is never rendered."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PROGRAM_OWNER, _GRAFANA_OWNER, _LOOM_OWNER = 65534, 472, 10001
"""Users of the containers: of Prometheus' image and those that share its folders, Grafana's, Loom's."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One party's certificate."""

    name: str
    """The party, and its folder: `otel-collector`."""
    hosts: tuple[str, ...]
    """Names and addresses it is reached by, for the certificate; empty for who only calls."""
    server: bool
    client: bool
    owner: int
    """User id of its container, who must be able to read the key; -1 for whoever works on this machine."""


class Kind(StrEnum):
    """What a secret is."""

    PASSWORD = "password"  # noqa: S105 - a kind, not a secret
    """Random text, in plain: its holder calls others with it."""
    TOKEN = "token"  # noqa: S105 - as above
    """A bearer token, in plain, the same for all its holders."""
    WEB = "web configuration"
    """A whole `--web.config.file`: certificate, key, and bcrypt of the callers' passwords."""
    USERS = "users"
    """The proxy's: a line `user bcrypt` for each caller."""
    GIVEN = "given"
    """Comes from outside, such as the address of a webhook: nobody can make it up."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One file that must lie in a party's folder."""

    holder: str
    """The party, and its folder."""
    file: str
    kind: Kind
    owner: int
    """As `Identity.owner`."""
    callers: tuple[str, ...] = ()
    """For WEB and USERS: the parties whose passwords it must know; each is a user of the party's name."""


_CONTAINED = frozenset({LOOM, PROBE, *map(str, Service)})


def owner(party: str) -> int:
    """The user as whom a party's container runs; -1 for whoever works on this machine."""
    role = _role(party)
    if role == OPERATOR or role not in _CONTAINED:
        return -1
    if role == Service.GRAFANA:
        return _GRAFANA_OWNER
    return _LOOM_OWNER if role in {LOOM, PROBE, Service.CANARY} else _PROGRAM_OWNER


def _role(party: str) -> str:
    """The party itself, or the service that it is a replica of."""
    with suppress(ValueError):
        return str(Service(party).role)
    return party


def identities(plan: Plan) -> tuple[Identity, ...]:
    """Every party with an encrypted edge, in order of name; none when nothing is encrypted."""
    encrypted = [edge for edge in plan.edges if edge.encrypted]
    callers = {edge.source for edge in encrypted}
    servers = {str(edge.service) for edge in encrypted}
    return tuple(
        Identity(
            party,
            _hosts(plan, party) if party in servers else (),
            party in servers,
            party in callers,
            owner(party),
        )
        for party in sorted(callers | servers)
    )


def _hosts(plan: Plan, party: str) -> tuple[str, ...]:
    container = plan.container(Service(party)).name
    return tuple(dict.fromkeys((party, container, *_LOOPBACK, *plan.profile.security.tls.hosts)))


def secrets(plan: Plan) -> tuple[Secret, ...]:
    """Every file besides certificates, in order of holder and name."""
    found = {(one.holder, one.file): one for one in (*_calling(plan), *_serving(plan), *_given(plan))}
    return tuple(found[key] for key in sorted(found))


def _calling(plan: Plan) -> list[Secret]:
    found = []
    for edge in plan.edges:
        if edge.method is Method.PASSWORD:
            found.append(Secret(edge.source, PASSWORD, Kind.PASSWORD, owner(edge.source)))
        if edge.method is Method.TOKEN:
            ends = (edge.source, str(edge.service))
            found.extend(Secret(party, TOKEN, Kind.TOKEN, owner(party)) for party in ends)
    if plan.profile.security.authentication == "basic":
        found.append(Secret(str(Service.GRAFANA), ADMIN, Kind.PASSWORD, owner(Service.GRAFANA)))
    return found


def _serving(plan: Plan) -> list[Secret]:
    found = []
    for service in (Service.PROMETHEUS, Service.ALERTMANAGER, Service.PROXY, *THANOS):
        callers = sorted(
            {edge.source for edge in plan.edges if edge.service is service and edge.method is Method.PASSWORD}
        )
        if callers:
            kind, file = (Kind.USERS, USERS) if service is Service.PROXY else (Kind.WEB, WEB)
            found.append(Secret(str(service), file, kind, owner(service), tuple(callers)))
        elif service is not Service.PROXY and service in plan.services and plan.encrypted(service):
            found.append(Secret(str(service), WEB, Kind.WEB, owner(service)))
    return found


def _given(plan: Plan) -> list[Secret]:
    alerting = plan.profile.alerting
    names = {name for receiver in alerting.receivers for name in receiver.secrets}
    beat = {alerting.heartbeat.url_secret} if alerting.heartbeat else set()
    wanted = [(str(Service.ALERTMANAGER), sorted(names | beat)), *_remote(plan)]
    return [Secret(holder, one, Kind.GIVEN, owner(holder)) for holder, files in wanted for one in files]


def _remote(plan: Plan) -> list[tuple[str, list[str]]]:
    """Party and names of what others gave us to call them with."""
    metrics = plan.profile.metrics
    called = (*metrics.remote_write, *metrics.federation.sources)
    found = [(str(Service.PROMETHEUS), sorted({name for one in called for name in one.secrets}))]
    thanos = metrics.longterm.thanos
    if thanos and thanos.objstore.config_secret:
        found += [(str(one), [thanos.objstore.config_secret]) for one in THANOS[:-1]]
    return found
