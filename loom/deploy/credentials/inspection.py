"""Whether every party's certificate will do: there, its own, trusted by whom it meets, not about to end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from loom.deploy.credentials import ownership, reading
from loom.deploy.credentials.certificate import address, hosts
from loom.deploy.credentials.reading import Certificates
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import Identity, identities
from loom.deploy.plan.model import Edge, Method, Plan
from loom.errors import InputError, Problem

SOON, LATE = 14, 3
"""Days left: from which on it is warned of, and refused."""
_ROTATE, _CREATE = "run: loom-deploy certs rotate", "run: loom-deploy certs create"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one party's certificate stands."""

    party: str
    ends: str = ""
    """`2027-05-31T12:00:00Z`; empty when there is no certificate."""
    days: int = 0
    """Whole days left; negative when it has ended."""
    issuer: str = ""
    hosts: tuple[str, ...] = ()
    use: str = ""
    """`server`, `client`, `server client`."""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass
class _Party:
    """What is read of a party, and what is wrong with it so far."""

    identity: Identity
    files: tuple[Path, Path, Path]
    roots: Certificates = ()
    chain: Certificates = ()
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def inspect(plan: Plan, vault: Vault, moment: datetime | None = None) -> tuple[Standing, ...]:
    """Every party of the plan; nothing is written."""
    now = moment or datetime.now(UTC)
    parties = {one.name: _read(one, vault) for one in identities(plan)}
    for party in parties.values():
        if party.chain:
            _judge(party, now)
    _meet(plan.edges, parties, now)
    return tuple(_standing(party, now) for party in parties.values())


def _read(identity: Identity, vault: Vault) -> _Party:
    party = _Party(identity, vault.identity(identity.name))
    trust, certificate, key = party.files
    try:
        party.roots = reading.certificates(trust)
    except InputError as error:
        party.problems += _hinted(error)
    try:
        party.chain = reading.certificates(certificate)
    except InputError as error:
        party.problems += _hinted(error)
    try:
        private = reading.key(key)
        if party.chain and not reading.belong(party.chain[0], private):
            party.problems.append(
                Problem("is not the key of the certificate beside it", str(key), hint=_ROTATE)
            )
    except InputError as error:
        party.problems += _hinted(error)
    party.problems += ownership.modes(key)
    return party


def _judge(party: _Party, now: datetime) -> None:
    """A certificate by itself: its time, its names, its purposes."""
    leaf, place = party.chain[0], str(party.files[1])
    days = _days(leaf, now)
    if now < leaf.not_valid_before_utc:
        party.problems.append(
            Problem(f"is not valid before {leaf.not_valid_before_utc:%Y-%m-%d %H:%M}", place)
        )
    if now > leaf.not_valid_after_utc:
        party.problems.append(
            Problem(f"has ended on {leaf.not_valid_after_utc:%Y-%m-%d}", place, hint=_ROTATE)
        )
    elif days < SOON:
        ending = Problem(f"ends in {days} days", place, hint=_ROTATE)
        (party.problems if days < LATE else party.warnings).append(ending)
    missing = [host for host in party.identity.hosts if not _covers(hosts(leaf), host)]
    if missing:
        party.problems.append(Problem(f"is not for {', '.join(missing)}", place, hint=_ROTATE))
    uses = _uses(leaf)
    wanted = (party.identity.server, "server"), (party.identity.client, "client")
    lacking = [use for needed, use in wanted if needed and use not in uses]
    if lacking:
        said = f"may not be used as {' and '.join(lacking)} (extended key usage)"
        party.problems.append(Problem(said, place, hint=_ROTATE))


def _meet(edges: Sequence[Edge], parties: Mapping[str, _Party], now: datetime) -> None:
    """Whether those who meet trust each other: both ends of every encrypted edge."""
    for edge in edges:
        if edge.encrypted:
            caller, server = parties[edge.source], parties[str(edge.service)]
            _trusts(caller, server, now)
            if edge.method is Method.CERTIFICATE:
                _trusts(server, caller, now)


def _trusts(one: _Party, other: _Party, now: datetime) -> None:
    if not one.roots or not other.chain or reading.verifies(other.chain, one.roots, now):
        return
    said = f"does not lead to an authority that {one.identity.name} trusts ({one.files[0]})"
    found = Problem(
        said, str(other.files[1]), hint="add its authority there, or have it signed by one that is there"
    )
    if found not in other.problems:
        other.problems.append(found)


def _standing(party: _Party, now: datetime) -> Standing:
    said = (tuple(party.problems), tuple(party.warnings))
    if not party.chain:
        return Standing(party.identity.name, problems=said[0], warnings=said[1])
    leaf = party.chain[0]
    return Standing(
        party.identity.name,
        f"{leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        _days(leaf, now),
        leaf.issuer.rfc4514_string(),
        hosts(leaf),
        " ".join(_uses(leaf)),
        *said,
    )


def _days(leaf: x509.Certificate, now: datetime) -> int:
    return (leaf.not_valid_after_utc - now).days


def _covers(names: Sequence[str], host: str) -> bool:
    if address(host) is not None:
        return any(address(name) == address(host) for name in names)
    known = [name.lower() for name in names]
    return host.lower() in known or f"*.{host.lower().partition('.')[2]}" in known


def _uses(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ("server", "client")  # without the extension a certificate is good for everything
    uses = ((ExtendedKeyUsageOID.SERVER_AUTH, "server"), (ExtendedKeyUsageOID.CLIENT_AUTH, "client"))
    return tuple(
        use for oid, use in uses if oid in found or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in found
    )


def _hinted(error: InputError) -> list[Problem]:
    return [Problem(one.message, one.file, hint=one.hint or _CREATE) for one in error.problems]
