"""What a runtime of agents is made from."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from loom.runtime.agent.restart import RestartPolicy
from loom.runtime.broker import ActionBroker
from loom.runtime.bus import EventBus
from loom.runtime.envelope import Envelope
from loom.runtime.router import Decision, Router
from loom.telemetry import Telemetry


class Deferral(Protocol):
    """Gets the events that the router defers; it may publish them again later, or keep them."""

    async def __call__(self, agent_id: str, envelope: Envelope, decision: Decision, /) -> None:
        """Take one event; an exception makes it an error of the event. The handler's deadline holds."""


async def forget(agent_id: str, envelope: Envelope, decision: Decision, /) -> None:
    """A `Deferral` that leaves it at the counting."""


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """How agents are run; times in seconds."""

    drain: float = 5.0
    """How long a deletion or the shutdown lets agents handle what is queued."""
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    deferral: Deferral = forget
    slice: float = 0.005
    """After so long a stretch an agent with more to do lets the others have their turn."""
    clock: Callable[[], float] = time.monotonic
    """For the restarts."""
    now: Callable[[], float] = time.time
    """Unix seconds, for events that expire."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits before a restart."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every agent of a runtime works with."""

    bus: EventBus
    broker: ActionBroker
    router: Router
    telemetry: Telemetry
    options: AgentOptions
