"""Everything that is tried, on every port, and what became of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from loom.deploy.credentials.vault import Vault
from loom.deploy.engine import ComposeEngine, Deployment, named, readiness
from loom.deploy.plan.edges import OPERATOR
from loom.deploy.plan.model import Edge, Method, Network, Plan, Port, Purpose
from loom.deploy.verify.finding import Finding, Verdict
from loom.deploy.verify.intrusion.attempt import RPC, Attempt, Door, doors, wrong
from loom.deploy.verify.intrusion.disguise import Shown, false, right
from loom.deploy.verify.intrusion.forgery import forged
from loom.deploy.verify.intrusion.knock import Answer, Hand, Request, knock
from loom.deploy.verify.intrusion.rpc import call

SUBJECT = "edge"
BETWEEN = " · "
"""Stands between the port, or the edge, and what was tried."""
_OTLP_PATH = "/v1/traces"
_LOGIN_PATH = "/api/org"
"""Of Grafana: shown only to who is logged in."""
_METRICS_PATH = "/metrics"
_CALLS = frozenset({Attempt.NO_TOKEN, Attempt.WRONG_TOKEN, Attempt.RIGHT})
"""What needs a whole call of gRPC: a token is looked at only then."""
_NO_KEY = Answer("cannot be tried: the authority's key is not here", ours=True)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where it is tried."""

    plan: Plan
    vault: Vault
    unreachable: Callable[[Port], str]
    """Why a port cannot be reached from here; empty when it can."""

    @classmethod
    def of(cls, deployment: Deployment) -> "Ground":
        """A running deployment, as this machine reaches it."""
        engine = named(deployment.engine)
        absent, inside = engine.absences(deployment.plan), engine.name == ComposeEngine.name

        def unreachable(port: Port) -> str:
            hidden = "between containers only" if inside and not port.published else ""
            return absent.get(port.service, hidden)

        return cls(deployment.plan, Vault(deployment.home.secrets), unreachable)


def intrude(ground: Ground) -> tuple[Finding, ...]:
    """A finding for each attempt on each port; one that should be refused and is not is WRONG."""
    with forged(ground.vault) as certificates:
        return tuple(found for door in doors(ground.plan) for found in _door(ground, door, certificates))


def _door(ground: Ground, door: Door, certificates: Mapping[Attempt, Path]) -> Iterator[Finding]:
    if reason := ground.unreachable(door.port):
        yield Finding(SUBJECT, door.name, Verdict.NOT_EXPECTED, reason)
        return
    plain = knock(door.port.native, Hand(None), _request(ground.plan, door))
    if not plain.listens:
        verdict = Verdict.MISSING if door.edges else Verdict.NOT_EXPECTED
        yield Finding(SUBJECT, door.name, verdict, "nobody listens")
    elif door.bare or ground.plan.profile.security.tls.mode == "off":
        yield from _bare(door)
    else:
        edges = door.edges or (_edge_of_nobody(door),)
        for attempt in wrong(door, ground.plan.profile.security.tls.minimum):
            answer = _try(ground, door, attempt, edges[0], certificates)
            yield _refused(f"{door.name}{BETWEEN}{attempt}", answer)
        for edge in door.edges:
            answer = _try(ground, door, Attempt.RIGHT, edge, certificates)
            yield _served(f"{edge.name}{BETWEEN}{Attempt.RIGHT}", answer)


def _edge_of_nobody(door: Door) -> Edge:
    """To a port that nobody is meant to call; whoever works here shows what is tried."""
    port = door.port
    return Edge(
        OPERATOR,
        port.service,
        port.purpose,
        "",
        encrypted=True,
        method=Method.CERTIFICATE,
        network=Network.BACKEND,
    )


def _try(
    ground: Ground, door: Door, attempt: Attempt, edge: Edge, certificates: Mapping[Attempt, Path]
) -> Answer:
    try:
        shown = right(ground.vault, edge)
        if attempt is not Attempt.RIGHT:
            shown = false(attempt, edge, shown, certificates)
    except KeyError:
        return _NO_KEY
    except OSError as error:
        return Answer(f"cannot be tried: {error.strerror}", ours=True)
    return _ask(ground.plan, door, attempt, shown)


def _ask(plan: Plan, door: Door, attempt: Attempt, shown: Shown) -> Answer:
    hand, authorization = shown
    if door.port.purpose is Purpose.OTLP_GRPC and attempt in _CALLS:
        return call(door.port.native, hand, authorization)
    return knock(door.port.native, hand, replace(_request(plan, door), authorization=authorization))


def _request(plan: Plan, door: Door) -> Request:
    """What whoever is let in is given."""
    port = door.port
    if port.purpose is Purpose.OTLP_HTTP:
        return Request("POST", _OTLP_PATH)
    if Method.LOGIN in door.methods:
        return Request(path=_LOGIN_PATH)
    asked = map(urlsplit, readiness.questions(plan, port.service))
    path = next((url.path for url in asked if url.port == port.native), _METRICS_PATH)
    return Request(path=path, rpc=port.purpose in RPC)


def _bare(door: Door) -> Iterator[Finding]:
    for edge in door.bare:
        given = edge.waiver
        why = f"waived until {given.until}: {given.reason}" if given else "plain text, as the profile has it"
        yield Finding(SUBJECT, f"{edge.name}{BETWEEN}{Attempt.PLAIN}", Verdict.NOT_EXPECTED, why)
    if not door.edges:
        yield Finding(SUBJECT, door.name, Verdict.NOT_EXPECTED, "no edge leads here; plain text")


def _refused(name: str, answer: Answer) -> Finding:
    if answer.ours:
        return Finding(SUBJECT, name, Verdict.NOT_EXPECTED, answer.how)
    verdict, became = (Verdict.WRONG, "let in") if answer.let_in else (Verdict.FOUND, "refused")
    return Finding(SUBJECT, name, verdict, f"{became}: {answer.how}")


def _served(name: str, answer: Answer) -> Finding:
    if answer.ours:
        return Finding(SUBJECT, name, Verdict.NOT_EXPECTED, answer.how)
    verdict, became = (Verdict.FOUND, "let in") if answer.served else (Verdict.WRONG, "not served")
    return Finding(SUBJECT, name, verdict, f"{became}: {answer.how}")
