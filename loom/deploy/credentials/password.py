"""Secrets as text: made up, and kept by servers as bcrypt only."""

import secrets

import bcrypt

BYTES = 32
"""Of randomness: nobody guesses it, whatever the hash costs."""
LONGEST = 72
"""Bytes of a password that bcrypt can tell apart from others."""
ROUNDS = 10
"""What a server pays, as a power of two, for a password it has not seen before: some 50 ms."""


def made() -> str:
    """A new one, of letters, digits, `-` and `_`: it needs no quoting anywhere."""
    return secrets.token_urlsafe(BYTES)


def hashed(password: str) -> str:
    """As a server keeps it."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode()


def matches(password: str, kept: str) -> bool:
    """Whether a server that keeps this would take the password."""
    try:
        return bcrypt.checkpw(password.encode(), kept.encode())
    except ValueError:
        return False
