"""What all connections of a manager share."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from loom.runtime.mcp.backoff import Backoff
from loom.runtime.mcp.pause import Pause
from loom.runtime.mcp.session import Connect
from loom.runtime.mcp.toolbox import Register
from loom.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Parts:
    """Passed in by the manager, the same for every server."""

    register: Register
    telemetry: Telemetry
    connect: Connect
    backoff: Backoff
    random: Random
    pause: Pause
    announce: Callable[[], None]
    """Called whenever the status of a server has changed."""
