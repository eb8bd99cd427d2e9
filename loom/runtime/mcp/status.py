"""How a server is, as the manager sees it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far a server is."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNAVAILABLE = "unavailable"
    """Its connection ended or never began; it is tried again, and calls fail at once."""
    CLOSED = "closed"
    """It was removed."""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server now."""

    name: str
    transport: str
    state: State
    protocol_version: str = ""
    """The MCP version that was negotiated; empty while it is not connected."""
    tools: tuple[str, ...] = ()
    """The tools that are registered as `server:tool`, also while it is unavailable."""
    failures: int = 0
    """Attempts to connect that failed since it was connected last."""
    error: str = ""
    """Why it is unavailable, with its code in front; empty while it is connected."""
    pid: int = 0
    """The child process of a stdio server; 0 when there is none."""
