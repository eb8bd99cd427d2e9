"""Results of finished calls, for callers that repeat themselves."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from loom.runtime.call import Result

Key = tuple[str, str]
"""Capability and call id."""


class ResultCache:
    """The latest successful results: at most `size`, for at most `ttl` seconds each."""

    def __init__(self, size: int, ttl: float, clock: Callable[[], float] = monotonic) -> None:
        """`size` 0 keeps nothing."""
        self._size = size
        self._ttl = ttl
        self._clock = clock
        self._entries: OrderedDict[Key, tuple[float, str, Result]] = OrderedDict()

    def __len__(self) -> int:
        """Results that are held, some that expired lately among them."""
        return len(self._entries)

    def get(self, key: Key) -> tuple[str, Result] | None:
        """The version that served a call and its result, if it is still known."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, version, result = entry
        if self._clock() >= expires:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return version, result

    def put(self, key: Key, version: str, result: Result) -> None:
        """Remember a result that is ok; any other is forgotten, so that a retry is tried."""
        now = self._clock()
        self._sweep(now)
        if not result.ok or self._size <= 0:
            return
        self._entries[key] = (now + self._ttl, version, result)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: Key) -> None:
        """Forget a result, if there is one."""
        self._entries.pop(key, None)

    def _sweep(self, now: float) -> None:
        """Forget what expired, up to the first that did not: those behind it were used later, and go soon."""
        entries = self._entries
        while entries:
            key = next(iter(entries))
            if entries[key][0] > now:
                return
            del entries[key]
