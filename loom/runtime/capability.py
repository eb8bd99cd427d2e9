"""What can be called, and what serves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from loom.contract import attributes as a
from loom.errors import LoomRuntimeError, Problem
from loom.runtime.call import Call


class ProviderType(StrEnum):
    """What kind of thing serves a capability."""

    NATIVE, WASM, GRPC, MCP = a.PROVIDER_TYPE.values


class Provider(Protocol):
    """Serves calls. Whatever it returns is the output; a `Result` says more; an exception is an error."""

    async def __call__(self, call: Call, /) -> object:
        """Serve one call; cancelled when its deadline is over."""


@dataclass(frozen=True, slots=True)
class Capability:
    """A named, versioned thing that can be called."""

    name: str
    """Such as `weather.get`, or `server:tool` for an MCP tool."""
    version: str = "0.1.0"
    provider_type: ProviderType = ProviderType.NATIVE
    description: str = ""
    """For people and models that choose among capabilities."""
    schema: Mapping[str, object] | None = None
    """JSON Schema of the payload, for whoever makes calls; the broker refuses calls that do not fit it."""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """LoomRuntimeError for an empty or unprintable name."""
        if not self.name or not self.name.isprintable() or len(self.name) > 256:
            raise LoomRuntimeError(Problem(f"{self.name[:80]!r} cannot name a capability"))
