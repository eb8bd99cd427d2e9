"""Credentials for validation: programs refuse a configuration whose files are not there, so there are some.

They are made for the one validation, vouch for nothing but loopback, and go with the temporary copy.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.protection import MOUNTED, RENDERED
from loom.deploy.plan.identity import CA, CERTIFICATE, FOLDER, KEY, USERS

PLACE = ".credentials"
"""Folder of them, in the copy."""
_REFERENCE = re.compile(rf"(?:{MOUNTED}|\.\./(?:{RENDERED}/)?{FOLDER}/[a-z0-9-]+)(?=/([A-Za-z0-9_.-]+))")
_HOSTS = ("127.0.0.1", "localhost")
_STAND_IN = "stand-in\n"
# bcrypt of a word that opens nothing.
_USER = "operator $2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n"


def redirected(text: str, folder: Path) -> str:
    """The text with every folder of credentials replaced by ours."""
    return _REFERENCE.sub(str(folder / PLACE), text)


def make(artifacts: Sequence[Artifact], folder: Path) -> None:
    """Make every file that the artifacts refer to; nothing where they refer to none."""
    names = {match[1] for artifact in artifacts for match in _REFERENCE.finditer(artifact.text)}
    if not names:
        return
    place = folder / PLACE
    place.mkdir(mode=0o700)
    for name in names:
        (place / name).write_text(_USER if name == USERS else _STAND_IN)
    _certificates(place)


def _certificates(place: Path) -> None:
    from loom.deploy.credentials import certificate as made  # noqa: PLC0415 - slow to import; plain ones do without

    validity = made.Validity.of(datetime.now(UTC), 1)
    authority, key = made.made_authority(_HOSTS, validity), made.made_key()
    subject = made.Subject("localhost", _HOSTS, server=True, client=True)
    leaf = made.signed(authority, subject, validity, key)
    (place / CA).write_bytes(made.pem(authority.roots))
    (place / CERTIFICATE).write_bytes(made.pem([leaf]))
    (place / KEY).write_bytes(made.private(key))
