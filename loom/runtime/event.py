"""An event: what happened, told by whoever publishes it."""

from collections.abc import Mapping
from itertools import count
from secrets import token_hex
from time import time_ns
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})
_PROCESS = token_hex(8)
_numbers = count(1)


class Event:
    """Something that happened. Treat it as immutable: every subscriber gets the same object."""

    __slots__ = ("_id", "created_at", "metadata", "payload", "source", "type")

    def __init__(
        self,
        type: str,  # noqa: A002 - the field's own name
        payload: object = None,
        *,
        source: str = "",
        metadata: Mapping[str, str] = _NONE,
        id: str = "",  # noqa: A002 - the field's own name
    ) -> None:
        """`payload` is whatever publisher and subscriber agree on; telemetry never looks at it."""
        self.type = type
        self.payload = payload
        self.source = source
        self.metadata = metadata
        self.created_at = time_ns()
        """Unix nanoseconds."""
        self._id: str | int = id or next(_numbers)

    @property
    def id(self) -> str:
        """The id it was given, or one that is unique among all processes."""
        if isinstance(self._id, int):
            self._id = f"{_PROCESS}{self._id:08x}"
        return self._id

    def __repr__(self) -> str:
        """Type and id; never the payload, which may be secret."""
        return f"Event({self.type!r}, id={self.id!r})"
