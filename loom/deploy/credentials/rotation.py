"""New keys and certificates while programs run: each file is renamed into its place, and read again.

Programs read certificate and key one after the other. One that reads just while they are renewed may find two
that do not fit: it refuses that handshake, and takes the next. With the old key kept even that cannot be.
"""

from collections.abc import Sequence
from pathlib import Path

from loom.deploy.credentials import authority, file, fitness, reading
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.certificate import Authority, hosts, made_key
from loom.deploy.credentials.file import File
from loom.deploy.credentials.issue import Issued, State, leaf, outcome, pair, signed_by
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import Identity, identities
from loom.deploy.plan.model import Plan
from loom.errors import InputError, Problem


def renew(plan: Plan, vault: Vault, order: Order, only: Sequence[str] = ()) -> tuple[Issued, ...]:
    """New keys and certificates for all parties, or only for some.

    Certificates of another authority stay as they are; to name one in `only` is an InputError.
    """
    fitness.require_names(plan, order.hosts)
    with vault.held():
        parties = chosen(plan, vault, only)
        foreign = [] if order.ca else _foreign(vault, parties)
        if foreign and only:
            hint = "put a new one in its place yourself, or take `loom-deploy certs create --force`"
            raise InputError(
                *(Problem("is not signed by the authority", place, hint=hint) for place in foreign)
            )
        signer = authority.found(vault, order)
        return reissue(vault, parties, signer, order)


def reissue(vault: Vault, parties: Sequence[Identity], signer: Authority, order: Order) -> tuple[Issued, ...]:
    """New pairs by this authority for those whose certificates are the deployment's; InputError, WriteError.

    Refused when one of the parties would not trust what it signs.
    """
    blind = [party for party in parties if not set(signer.roots) <= set(trusted_by(vault, party))]
    if blind:
        hint = "first run: loom-deploy certs rotate --authority trust"
        raise InputError(
            *(
                Problem("does not hold the authority that is to sign", str(_trust(vault, one)), hint=hint)
                for one in blind
            )
        )
    roots = tuple(dict.fromkeys((*authority.trusted(vault), *signer.roots)))
    ours = [party for party in parties if signed_by(vault, party, roots)]
    pairs = [new for party in ours for new in _renewed(vault, party, signer, order)]
    if pairs:
        file.put(*pairs)
    return tuple(
        outcome(party, vault, roots, State.REPLACED if party in ours else State.KEPT) for party in parties
    )


def chosen(plan: Plan, vault: Vault, only: Sequence[str]) -> tuple[Identity, ...]:
    """The parties that are meant; InputError for unknown ones, and for ones without a certificate."""
    parties = {party.name: party for party in identities(plan)}
    known = f"one of {', '.join(parties)}"
    problems = [
        Problem(f"{name} has no certificate in this profile", hint=known)
        for name in only
        if name not in parties
    ]
    found = tuple(party for name, party in parties.items() if not only or name in only)
    problems += [
        Problem("is missing", str(path), hint="run: loom-deploy certs create")
        for party in found
        for path in vault.identity(party.name)
        if not path.is_file()
    ]
    if problems:
        raise InputError(*problems)
    return found


def trusted_by(vault: Vault, party: Identity) -> reading.Certificates:
    """Whom a party trusts now."""
    return reading.certificates(_trust(vault, party))


def names(vault: Vault, party: Identity) -> tuple[str, ...]:
    """The names and addresses that a party's certificate has now; a new one keeps them."""
    return hosts(reading.certificates(vault.identity(party.name)[1])[0])


def _foreign(vault: Vault, parties: Sequence[Identity]) -> list[str]:
    roots = authority.trusted(vault)
    return [str(vault.identity(party.name)[1]) for party in parties if not signed_by(vault, party, roots)]


def _trust(vault: Vault, party: Identity) -> Path:
    return vault.identity(party.name)[0]


def _renewed(vault: Vault, party: Identity, signer: Authority, order: Order) -> list[File]:
    place = vault.identity(party.name)[2]
    key = reading.key(place) if order.keep_keys else made_key()
    fitness.require_key(key.public_key(), place)
    return pair(vault, party, key, leaf(party, signer, key, order, names(vault, party)))
