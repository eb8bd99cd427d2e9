"""What a connection hears while it waits."""

import asyncio

from loom.runtime.mcp.evidence import Evidence
from loom.runtime.mcp.session import Hooks


class Signals:
    """Made anew for each connection, so that nothing late from the one before is mistaken for news."""

    def __init__(self) -> None:
        """Silence."""
        self.evidence = Evidence()
        self.wake = asyncio.Event()
        """Set with each signal."""
        self.lost = False
        """The connection cannot be used any more."""
        self.changed = False
        """The tools may have changed."""
        self.doubt = False
        """A health check is due."""

    @property
    def hooks(self) -> Hooks:
        """What the session calls."""
        return Hooks(self.evidence, self.lose, self.change, self.suspect)

    def lose(self) -> None:
        """The connection cannot be used any more."""
        self.lost = True
        self.wake.set()

    def change(self) -> None:
        """The tools may have changed."""
        self.changed = True
        self.wake.set()

    def suspect(self) -> None:
        """A health check is due."""
        self.doubt = True
        self.wake.set()
