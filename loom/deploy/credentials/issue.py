"""Certificates for every party that lacks one. What somebody put there stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from loom.deploy.credentials import authority, file, fitness, reading
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.certificate import (
    Authority,
    Key,
    Subject,
    made_key,
    pem,
    private,
    signed,
)
from loom.deploy.credentials.file import PUBLIC, File
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import CA, KEY, Identity, identities
from loom.deploy.plan.model import Plan
from loom.errors import InputError, Problem


class State(StrEnum):
    """What became of a party's certificate."""

    CREATED = "created"
    REPLACED = "replaced"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Issued:
    """One party's certificate, afterwards."""

    party: str
    state: State
    ends: datetime
    yours: bool = False
    """Whether another authority than the deployment's signed it."""


def create(plan: Plan, vault: Vault, order: Order) -> tuple[Issued, ...]:
    """Make the authority if there is none, and what parties lack of CA, certificate and key.

    InputError with every reason when something contradicts itself, WriteError; nothing is written then.
    """
    parties = identities(plan)
    if not parties:
        hint = "set security.tls.mode: mutual"
        raise InputError(Problem(f"the profile {plan.profile.name} encrypts nothing", hint=hint))
    _refuse(plan, parties, vault, order)
    with vault.held():
        return _create(plan, parties, vault, order)


def _create(plan: Plan, parties: Sequence[Identity], vault: Vault, order: Order) -> tuple[Issued, ...]:
    lacking = [party for party in parties if order.force or not _complete(vault, party)]
    files: list[File] = []
    signer = roots = None
    if lacking:
        files, signer = _signer(plan, parties, vault, order)
        roots = tuple(dict.fromkeys((*authority.trusted(vault), *signer.roots)))
        for party in lacking:
            files += _files(party, vault, signer, order)
            if order.force or not vault.file(party.name, CA).is_file():
                files.append(trust(vault, party, roots))
        file.put(*files)
    ours = roots or authority.trusted(vault)
    return tuple(outcome(party, vault, ours, _state(party, lacking, order)) for party in parties)


def leaf(party: Identity, signer: Authority, key: Key, order: Order, hosts: Sequence[str] = ()) -> bytes:
    """A party's certificate for a key, with those of its authority that are sent along.

    InputError when the authority may not sign for its names.
    """
    reached = (*party.hosts, *order.hosts) if party.server else ()
    subject = Subject(party.name, tuple(dict.fromkeys((*reached, *hosts))), party.server, party.client)
    certificate = signed(signer, subject, order.validity, key)
    if not reading.verifies((certificate, *signer.chain), signer.roots, order.moment):
        names = ", ".join((party.name, *subject.hosts))
        hint = "it has ended, or is for other names; make another: loom-deploy certs rotate --authority trust"
        raise InputError(Problem(f"the authority may not sign for {names}", hint=hint))
    return pem((certificate, *signer.chain))


def pair(vault: Vault, party: Identity, key: Key, certificates: bytes) -> list[File]:
    """Both as one file under two names: one rename renews them, so no program finds two that do not fit."""
    _, certificate, place = vault.identity(party.name)
    both = File(place, certificates + private(key), party.owner)
    return [both] if certificate.is_symlink() else [both, File(certificate, link=KEY)]


def trust(vault: Vault, party: Identity, roots: Sequence[x509.Certificate]) -> File:
    """The file of those whom a party trusts."""
    return File(vault.file(party.name, CA), pem(roots), party.owner, PUBLIC)


def outcome(party: Identity, vault: Vault, roots: Sequence[x509.Certificate], state: State) -> Issued:
    """A party's certificate as it is now, given the deployment's own authorities."""
    first = reading.certificates(vault.identity(party.name)[1])[0]
    return Issued(party.name, state, first.not_valid_after_utc, not signed_by(vault, party, roots))


def signed_by(vault: Vault, party: Identity, roots: Sequence[x509.Certificate]) -> bool:
    """Whether a party's certificate leads to one of these roots, whenever that was."""
    chain = reading.certificates(vault.identity(party.name)[1])
    return bool(roots) and reading.verifies(chain, roots, chain[0].not_valid_after_utc)


def _files(party: Identity, vault: Vault, signer: Authority, order: Order) -> list[File]:
    """Key and certificate, for the key that is there if there is one."""
    _, certificate, key = vault.identity(party.name)
    if not order.force and certificate.is_file():
        return []
    known = key.is_file() and not order.force
    own = reading.key(key) if known else made_key()
    fitness.require_key(own.public_key(), key)
    return pair(vault, party, own, leaf(party, signer, own, order))


def _signer(
    plan: Plan, parties: Sequence[Identity], vault: Vault, order: Order
) -> tuple[list[File], Authority]:
    """Who signs, and the files of it that are not there yet."""
    if order.ca:
        given = authority.found(vault, order)
        # Its key stays where its owner keeps it.
        return authority.files(given, vault.authority, key=False), given
    here = (vault.authority / CA).is_file()
    # What we issued is a link: an authority that is lost is not to be followed by one that nobody trusts.
    issued = any(vault.identity(party.name)[1].is_symlink() for party in parties)
    if here or (issued and not order.force):
        return [], authority.found(vault, order)
    names = (*(one for party in parties for one in (party.name, *party.hosts)), *order.hosts)
    own = authority.made(order, authority.permitted(plan, names))
    return authority.files(own, vault.authority), own


def _refuse(plan: Plan, parties: Sequence[Identity], vault: Vault, order: Order) -> None:
    """Every reason why nothing can be made of what is there."""
    problems = fitness.strange(plan, order.hosts)
    for party in parties:
        _, certificate, key = vault.identity(party.name)
        if certificate.is_file() and not key.is_file() and not order.force:
            hint = "put its key beside it, or take --force to replace both"
            problems.append(Problem("there is a certificate without its key", str(certificate), hint=hint))
    if order.ca and not order.ca_key:
        problems.append(
            Problem("an authority of your own needs its key too", str(order.ca), hint="--ca-key FILE")
        )
    if problems:
        raise InputError(*problems)


def _complete(vault: Vault, party: Identity) -> bool:
    return all(path.is_file() for path in vault.identity(party.name))


def _state(party: Identity, lacking: Sequence[Identity], order: Order) -> State:
    if party not in lacking:
        return State.KEPT
    return State.REPLACED if order.force else State.CREATED
