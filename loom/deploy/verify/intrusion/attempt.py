"""What is tried on each port: from the edge graph alone, so that a new edge is tried by itself. Data."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from loom.deploy.plan.model import Edge, Method, Plan, Port, Purpose


class Attempt(StrEnum):
    """One way to come in."""

    PLAIN = "plain text"
    TLS_1_0 = "TLS 1.0"
    TLS_1_2 = "TLS 1.2"
    NO_CERTIFICATE = "no certificate"
    EXPIRED = "expired certificate"
    FOREIGN = "foreign certificate"
    SERVER_ONLY = "a server's certificate"
    NO_TOKEN = "no token"  # noqa: S105 - what is tried, not a secret
    WRONG_TOKEN = "wrong token"  # noqa: S105 - as above
    NO_PASSWORD = "no password"  # noqa: S105 - as above
    WRONG_PASSWORD = "wrong password"  # noqa: S105 - as above
    RIGHT = "its own credentials"


_TRANSPORT = (Attempt.PLAIN, Attempt.TLS_1_0)
_WRONG = {
    Method.NONE: (),
    Method.CERTIFICATE: (Attempt.NO_CERTIFICATE, Attempt.EXPIRED, Attempt.FOREIGN, Attempt.SERVER_ONLY),
    Method.TOKEN: (Attempt.NO_TOKEN, Attempt.WRONG_TOKEN),
    Method.PASSWORD: (Attempt.NO_PASSWORD, Attempt.WRONG_PASSWORD),
    Method.LOGIN: (Attempt.NO_PASSWORD, Attempt.WRONG_PASSWORD),
}
RPC = frozenset({Purpose.OTLP_GRPC, Purpose.QUERY_GRPC, Purpose.STORE_API})
"""Ports that speak gRPC; all others speak HTTP/1.1 too."""


@dataclass(frozen=True, slots=True)
class Door:
    """One port, with the edges that lead to it."""

    port: Port
    edges: tuple[Edge, ...]

    @property
    def name(self) -> str:
        """`jaeger:otlp_grpc`."""
        return f"{self.port.service}:{self.port.purpose}"

    @property
    def methods(self) -> tuple[Method, ...]:
        """How callers prove who they are; where no edge leads, nobody gets in without a certificate."""
        return tuple(dict.fromkeys(edge.method for edge in self.edges)) or (Method.CERTIFICATE,)

    @property
    def bare(self) -> tuple[Edge, ...]:
        """Its edges that are in plain text."""
        return tuple(edge for edge in self.edges if not edge.encrypted)


def doors(plan: Plan) -> tuple[Door, ...]:
    """Every port of the plan, also those to which no edge leads."""
    return tuple(
        Door(
            port,
            tuple(
                edge for edge in plan.edges if (edge.service, edge.purpose) == (port.service, port.purpose)
            ),
        )
        for port in plan.ports
    )


def wrong(door: Door, minimum: str) -> Iterator[Attempt]:
    """All that must be refused at a port that is encrypted; `minimum` is the oldest TLS spoken: `1.3`."""
    yield from _TRANSPORT
    if minimum == "1.3":
        yield Attempt.TLS_1_2
    for method in door.methods:
        yield from _WRONG[method]
