"""The authority on the disk: the one that signs, the next one that is trusted already, the one before.

authority/ca.pem, key.pem          signs; the key may be taken away and brought back with --ca-key
authority/next/ca.pem, key.pem     trusted by everybody, and signs after `rotate --authority issue`
authority/old/ca.pem               signs no more, and trusted until `rotate --authority drop`
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from loom.deploy.credentials import fitness, reading
from loom.deploy.credentials.certificate import Authority, Validity, made_authority, pem, private
from loom.deploy.credentials.file import PUBLIC, File
from loom.deploy.credentials.reading import Certificates
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import CA, KEY
from loom.deploy.plan.model import Plan, Service
from loom.errors import InputError, Problem

NEXT, OLD = "next", "old"
DAYS, AUTHORITY_DAYS = 90, 3650
"""How long certificates are valid; how long an authority."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    days: int = DAYS
    authority_days: int = AUTHORITY_DAYS
    hosts: tuple[str, ...] = ()
    """Further names and addresses of every server."""
    ca: Path | None = None
    """The authority of one's own to sign with, and those above it; None for ours."""
    ca_key: Path | None = None
    """Its key, where it is not beside our authority's certificate."""
    force: bool = False
    """Replace what is there."""
    keep_keys: bool = False
    """Renew certificates for the keys that are there."""
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def validity(self) -> Validity:
        """When a new certificate is valid."""
        return Validity.of(self.moment, self.days)


def found(vault: Vault, order: Order, folder: str = "") -> Authority:
    """The authority that signs; InputError when its certificate or key is not here."""
    place = vault.authority / folder
    ca, key = order.ca or place / CA, order.ca_key or place / KEY
    if not ca.is_file():
        hint = f"bring it back to {ca}, or name it with --ca and --ca-key"
        raise InputError(Problem("the authority that signed is not here", str(ca), hint=hint))
    if not key.is_file():
        hint = "bring it back, or name it with --ca-key"
        raise InputError(
            Problem("the authority's key is not here, so nothing can be signed", str(key), hint=hint)
        )
    signer = reading.authority(ca, key)
    fitness.require_keys((signer.certificate, *signer.chain, *signer.roots), ca)
    return signer


def trusted(vault: Vault) -> Certificates:
    """The roots that everybody is to trust now: of the authority, of the next one and of the one before."""
    files = [vault.authority / folder / CA for folder in ("", NEXT, OLD)]
    roots = [one for file in files if file.is_file() for one in reading.certificates(file)]
    return tuple(dict.fromkeys(one for one in roots if one.issuer == one.subject))


def permitted(plan: Plan, hosts: Iterable[str]) -> tuple[str, ...]:
    """The names that an authority of ours may sign: every party that there can be, and these hosts."""
    services = [name for service in Service for name in (str(service), f"loom-{service}")]
    return tuple(dict.fromkeys((*services, *hosts, *plan.profile.security.tls.hosts)))


def files(authority: Authority, place: Path, *, key: bool = True) -> list[File]:
    """An authority as files; without its key when that stays where its owner keeps it."""
    everything = dict.fromkeys((authority.certificate, *authority.chain, *authority.roots))
    public = File(place / CA, pem(list(everything)), mode=PUBLIC)
    return [File(place / KEY, private(authority.key)), public] if key else [public]


def made(order: Order, hosts: Iterable[str]) -> Authority:
    """A new one of our own."""
    return made_authority(hosts, Validity.of(order.moment, order.authority_days))
