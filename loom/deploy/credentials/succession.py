"""A new authority in three steps, without a moment in which one party distrusts another.

`trust`: everybody trusts the next authority too. `issue`: it signs every certificate. `drop`: nobody trusts
the old one any more. Between the steps every program has to have read its files again.
"""

import shutil
from collections.abc import Sequence
from enum import StrEnum

from loom.deploy.credentials import authority, file, fitness, reading
from loom.deploy.credentials.authority import NEXT, OLD, Order
from loom.deploy.credentials.certificate import pem
from loom.deploy.credentials.file import PUBLIC, File, refused
from loom.deploy.credentials.issue import Issued, State, outcome, trust
from loom.deploy.credentials.reading import Certificates
from loom.deploy.credentials.rotation import chosen, names, reissue, trusted_by
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import CA, KEY, Identity
from loom.deploy.plan.model import Plan
from loom.errors import InputError, Problem


class Step(StrEnum):
    """A step on the way to a new authority."""

    TRUST = "trust"
    ISSUE = "issue"
    DROP = "drop"


_TURN = {
    (False, False): Step.TRUST,
    (True, False): Step.ISSUE,
    (False, True): Step.DROP,
    (True, True): Step.ISSUE,
}
"""Which step is next, by whether there is a next authority, and an old one."""


def replace(plan: Plan, vault: Vault, order: Order, step: Step) -> tuple[Issued, ...]:
    """One step towards a new authority; InputError when it is not its turn or cannot be, WriteError."""
    fitness.require_names(plan, order.hosts)
    with vault.held():
        turn = turn_of(vault)
        if step is not turn:
            hint = f"run: loom-deploy certs rotate --authority {turn}"
            raise InputError(Problem(f"{step} is not the step that is next", str(vault.authority), hint=hint))
        parties = chosen(plan, vault, ())
        if step is Step.ISSUE:
            return _issue(vault, parties, order)
        return _trust(plan, vault, parties, order) if step is Step.TRUST else _drop(vault, parties)


def turn_of(vault: Vault) -> Step:
    """The step that is next; `trust` when no authority is being replaced."""
    return _TURN[(vault.authority / NEXT).is_dir(), (vault.authority / OLD).is_dir()]


def _trust(plan: Plan, vault: Vault, parties: Sequence[Identity], order: Order) -> tuple[Issued, ...]:
    place = vault.authority / NEXT
    if order.ca:
        given = reading.certificates(order.ca)
        fitness.require_keys(given, order.ca)
        own = [File(place / CA, pem(given), mode=PUBLIC)]
        roots = tuple(one for one in given if one.issuer == one.subject)
    else:
        known = [name for party in parties for name in (party.name, *party.hosts, *names(vault, party))]
        made = authority.made(order, authority.permitted(plan, (*known, *order.hosts)))
        own, roots = authority.files(made, place), made.roots
    bundles = [(party, tuple(dict.fromkeys((*trusted_by(vault, party), *roots)))) for party in parties]
    file.put(*(trust(vault, party, bundle) for party, bundle in bundles), *own)
    return _kept(vault, parties)


def _issue(vault: Vault, parties: Sequence[Identity], order: Order) -> tuple[Issued, ...]:
    place, key = vault.authority, vault.authority / NEXT / KEY
    signer = authority.found(vault, order, NEXT)
    done = reissue(vault, parties, signer, order)
    # Killed before this, the step is done again: the next authority signs anew what it signed already.
    if not (place / OLD).is_dir():
        file.put(File(place / OLD / CA, (place / CA).read_bytes(), mode=PUBLIC))
    file.put(*authority.files(signer, place, key=key.is_file()))
    if not key.is_file():
        (place / KEY).unlink(missing_ok=True)  # of the old one, which signs no more
    _remove(vault, NEXT)
    return done


def _drop(vault: Vault, parties: Sequence[Identity]) -> tuple[Issued, ...]:
    gone = reading.certificates(vault.authority / OLD / CA)
    left = [
        Problem("is still signed by the old authority", str(path), hint="run: loom-deploy certs rotate")
        for path in (vault.identity(party.name)[1] for party in parties)
        if reading.issued(reading.certificates(path)[0], gone)
    ]
    if left:
        raise InputError(*left)
    bundles = [(party, _without(trusted_by(vault, party), gone)) for party in parties]
    file.put(*(trust(vault, party, bundle) for party, bundle in bundles))
    _remove(vault, OLD)
    return _kept(vault, parties)


def _without(roots: Certificates, gone: Certificates) -> Certificates:
    return tuple(root for root in roots if root not in gone)


def _kept(vault: Vault, parties: Sequence[Identity]) -> tuple[Issued, ...]:
    roots = authority.trusted(vault)
    return tuple(outcome(party, vault, roots, State.KEPT) for party in parties)


def _remove(vault: Vault, name: str) -> None:
    try:
        shutil.rmtree(vault.authority / name)
    except OSError as error:
        raise refused(error, vault.authority / name) from error
