"""Certificates that must not work: made like one of Loom's own, and wrong in one way each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from loom.deploy.credentials import authority
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.certificate import (
    Authority,
    Subject,
    Validity,
    made_authority,
    made_key,
    pem,
    private,
    signed,
)
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.edges import LOOM
from loom.deploy.verify.intrusion.attempt import Attempt
from loom.errors import InputError

_DAY = timedelta(days=1)


@contextmanager
def forged(vault: Vault) -> Iterator[Mapping[Attempt, Path]]:
    """Attempt → file with certificate and key, there until the end of the block.

    Where the authority's key is kept elsewhere, only the foreign one can be made.
    """
    now = datetime.now(UTC)
    today, over = Validity.of(now, 1), Validity(now - 2 * _DAY, now - _DAY)
    made = {Attempt.FOREIGN: _pair(made_authority((LOOM,), today), today)}
    with suppress(InputError):
        own = authority.found(vault, Order())
        made |= {
            Attempt.EXPIRED: _pair(own, over),
            Attempt.SERVER_ONLY: _pair(own, today, client=False),
        }
    with TemporaryDirectory(prefix="loom-intrusion-") as folder:
        yield {attempt: _put(Path(folder) / attempt.name, content) for attempt, content in made.items()}


def _pair(signer: Authority, validity: Validity, *, client: bool = True) -> bytes:
    key = made_key()
    subject = Subject(LOOM, (), server=True, client=client)
    return pem((signed(signer, subject, validity, key), *signer.chain)) + private(key)


def _put(file: Path, content: bytes) -> Path:
    file.touch(mode=0o600)
    file.write_bytes(content)
    return file
