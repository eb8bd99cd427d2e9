"""Certificates, keys and tokens as files: whether they are what they should be, and whether they changed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Stamp = tuple[tuple[str, int, int, int], ...]
"""Of each file that can be seen: path, inode, size, and when it was written."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom an exporter trusts and what it shows, as paths; empty for what there is not."""

    authority: str = ""
    """PEM file with the authorities to trust; the system's when empty."""
    certificate: str = ""
    key: str = ""
    """PEM files with our own certificate and its key; both or none."""
    token: str = ""
    """File with a bearer token."""

    @property
    def files(self) -> tuple[str, ...]:
        """Every file; all of them may change while the process runs."""
        return tuple(filter(None, (self.authority, self.certificate, self.key, self.token)))

    @property
    def stamp(self) -> Stamp:
        """What tells one state of the files from another, whether they are written anew or replaced."""
        seen = []
        for file in self.files:
            try:
                status = os.stat(file)  # noqa: PTH116 - asked at every export, and a Path takes as long again
            except OSError:
                continue
            seen.append((file, status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(seen)

    def faults(self) -> Iterator[str]:
        """What is wrong with the files now, each by its name; what they hold is never repeated."""
        faults = (
            authority_fault(self.authority) if self.authority else "",
            pair_fault(self.certificate, self.key) if self.certificate else "",
            token_fault(self.token) if self.token else "",
        )
        yield from filter(None, faults)


def authority_fault(authority: str) -> str:
    """What is wrong with a file of authorities; empty when TLS accepts it."""
    from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError  # noqa: PLC0415 - slow to import

    try:
        SSLContext(PROTOCOL_TLS_CLIENT).load_verify_locations(authority)
    except SSLError:
        return f"{authority!r} holds no certificate that can be read"
    except (OSError, ValueError) as error:
        return _unreadable(authority, error)
    return ""


def pair_fault(certificate: str, key: str) -> str:
    """What is wrong with a certificate and its key; empty when TLS accepts them together."""
    from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError  # noqa: PLC0415 - slow to import

    file = certificate
    try:
        for file in (certificate, key):  # OpenSSL does not say which one it cannot read
            Path(file).open("rb").close()
        SSLContext(PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=_refuse)
    except _EncryptedError:
        return f"the key in {key!r} is encrypted, and nobody is there to type its password"
    except SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"the key in {key!r} is not that of the certificate in {certificate!r}"
        return f"{certificate!r} and {key!r} hold no certificate and key that can be read"
    except (OSError, ValueError) as error:
        return _unreadable(file, error)
    return ""


def token_fault(file: str) -> str:
    """What is wrong with a file that must hold a token."""
    try:
        read_token(file)
    except OSError as error:
        return _unreadable(file, error)
    except ValueError:
        return f"{file!r} holds no token: one word of printable ASCII"
    return ""


def read_token(file: str) -> str:
    """The token of a file, without surrounding blanks; OSError or ValueError when there is none."""
    text = Path(file).read_text(encoding="utf-8").strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        message = "a token is one word of printable ASCII"
        raise ValueError(message)
    return text


def _unreadable(file: str, error: OSError | ValueError) -> str:
    """ValueError: a path with a null byte."""
    return f"{file!r} cannot be read: {error.strerror if isinstance(error, OSError) else 'no path'}"


class _EncryptedError(Exception):
    """OpenSSL asks for a password; without an answer of ours it would ask at the terminal."""


def _refuse() -> str:
    raise _EncryptedError
