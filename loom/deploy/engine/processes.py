"""The machine's processes and ports: which are a deployment's own, and who holds a port."""

import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from loom.deploy.engine.deployment import Home
from loom.deploy.plan.model import Plan, Port

if TYPE_CHECKING:
    import psutil

MARK = "LOOM_DEPLOYMENT"
"""Environment variable that every process of a deployment inherits; its value is the deployment's home.

It finds orphans of a killed supervisor, and unlike a recorded pid it never names somebody else's process.
"""

_LOOKS = 10
_MOMENT = 0.005
"""Seconds between two of them."""


def own(home: Home) -> "list[psutil.Process]":
    """The living processes of a deployment, the supervisor among them."""
    import psutil  # noqa: PLC0415 - slow to import, and only the engine needs it

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and process.pid != os.getpid() and _environ(process).get(MARK) == str(home.root):
                found.append(process)
    return found


def _environ(process: "psutil.Process") -> dict[str, str]:
    """Its environment, which the kernel shows as empty for a moment while a program is being started."""
    for _ in range(_LOOKS):
        found = process.environ()
        if found or not process.exe():  # a thread of the kernel has neither
            return found
        time.sleep(_MOMENT)
    return {}


def end(processes: "Sequence[psutil.Process]", grace: float = 5.0) -> "list[psutil.Process]":
    """Ask them to end, and kill what has not ended after `grace` seconds; what is left even so."""
    import psutil  # noqa: PLC0415 - as above

    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, grace)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    return psutil.wait_procs(alive, grace)[1]


def native_ports(plan: Plan, services: Sequence[str]) -> list[Port]:
    """The ports of the services, as local processes bind them."""
    return [port for port in plan.ports if port.service in services]


def free(port: int) -> bool:
    """Whether loopback's port can be bound; a connection that is just going down does not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who has a port: `pid 12, deployment dev: prometheus --config.file=…`, as far as we may know."""
    import psutil  # noqa: PLC0415 - as above

    with suppress(psutil.Error, OSError):
        mine = [connection for connection in psutil.net_connections("tcp") if connection.laddr[1:] == (port,)]
        # A listener before the mere end of a connection, which may have any port above 32768.
        mine.sort(key=lambda connection: connection.status != psutil.CONN_LISTEN)
        for connection in mine:
            if connection.pid:
                what = "" if connection.status == psutil.CONN_LISTEN else "a connection of "
                return what + _described(psutil.Process(connection.pid))
        if mine:
            return f"a connection in state {mine[0].status}"
    return "a process that you may not see"


def _described(process: "psutil.Process") -> str:
    import psutil  # noqa: PLC0415 - as above

    command = deployment = ""
    with suppress(psutil.Error, OSError):
        command = " ".join(process.cmdline()) or process.name()
        home = _environ(process).get(MARK, "")
        deployment = f", deployment {os.path.basename(home)}" if home else ""  # noqa: PTH119 - a text
    command = f"{command[:77]}…" if len(command) > 78 else command
    return f"pid {process.pid}{deployment}: {command}"
