"""What the manager counts for one server."""

from loom.contract import attributes as a
from loom.contract.metrics import mcp_manager as m
from loom.telemetry import Telemetry

OK, FAILED = a.ATTEMPT_OUTCOME.values


class ServerMetrics:
    """The tallies of one server. Gauges move by differences: servers past the budget share one series."""

    def __init__(self, telemetry: Telemetry, server: str) -> None:
        """Look every series up once; those of the server begin at zero."""
        self._active = telemetry.gauge(m.SERVERS_ACTIVE).series()
        self._connected = telemetry.counter(m.SERVERS_CONNECTED).series(server)
        self._disconnected = telemetry.counter(m.SERVERS_DISCONNECTED).series(server)
        self._tools = telemetry.gauge(m.TOOLS_REGISTERED).series(server)
        reconnections = telemetry.counter(m.RECONNECTIONS)
        self._attempts = {outcome: reconnections.series(server, outcome) for outcome in (OK, FAILED)}
        self._registered = 0
        """Tools that the broker knows, also while the server is gone: then they count as none."""
        self._up = False

    def connect(self) -> None:
        """A connection was established: its tools can be called."""
        self._up = True
        self._active.n += 1
        self._connected.n += 1
        self._tools.n += self._registered

    def disconnect(self) -> None:
        """An established connection ended: its tools are registered still, and of no use."""
        self._up = False
        self._active.n -= 1
        self._disconnected.n += 1
        self._tools.n -= self._registered

    def attempt(self, *, ok: bool) -> None:
        """An attempt to reconnect ended."""
        self._attempts[OK if ok else FAILED].n += 1

    def change_tools(self, difference: int) -> None:
        """So many more tools are registered, or fewer."""
        self._registered += difference
        if self._up:
            self._tools.n += difference
