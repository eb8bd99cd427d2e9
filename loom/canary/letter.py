"""What is sent in one round, and the seam to whoever sends and finds it."""

import secrets
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """One round's content."""

    number: int
    """Unix time in whole seconds, and above that of every earlier round."""
    nonce: str
    """Random text."""


def write(previous: int) -> Letter:
    """The next letter."""
    return Letter(max(int(time.time()), previous + 1), secrets.token_hex(8))


class Courier(Protocol):
    """One signal's way: to the ingress, and to the store at the other end."""

    @property
    def signal(self) -> str:
        """One of the contract's."""

    def send(self, letter: Letter) -> bool:
        """Hand it to the ingress; whether that acknowledged it."""

    def find(self, letter: Letter) -> bool:
        """Whether the store has it, whole; EngineError when the store does not answer."""

    def close(self) -> None:
        """Give up what is under way."""
