"""supervisord: started on its own, and spoken to over its socket."""

import http.client
import os
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from loom.errors import EngineError, Problem

SOCKET = "supervisor.sock"
"""Its name in the run folder; the rendered configuration says the same."""

_TIMEOUT = 10.0
"""Seconds for one answer: supervisord answers from memory."""
_START = 30.0
"""Seconds until it has read its configuration and answers."""
_TAIL = 8192
"""Bytes of a log that are looked at."""


_SETTLED = {60, 70, 50}
"""Faults of supervisor that say a program is as asked for already, or will be seen in its state:
ALREADY_STARTED, NOT_RUNNING, SPAWN_ERROR."""


class AwayError(Exception):
    """No supervisord answers on the socket."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket file, with a time limit."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ANN401 - the base class's
        connection = _Connection(self._path)
        self._connection = (host, connection)  # where the base class closes it
        return connection


@dataclass(frozen=True, slots=True)
class Info:
    """One program as supervisord sees it."""

    name: str
    state: str
    pid: int
    uptime: float
    """Seconds."""
    said: str
    """supervisord's own description, such as `Exited too quickly (process log may have details)`."""


class Supervisor:
    """A client of one supervisord; every method raises AwayError when none answers."""

    def __init__(self, path: Path) -> None:
        """`path` is its socket."""
        self._path = path

    def alive(self) -> bool:
        """Whether one answers."""
        try:
            self._call("getPID")
        except AwayError:
            return False
        return True

    def programs(self) -> dict[str, Info]:
        """Every program, by name."""
        return {row["name"]: _info(row) for row in self._call("getAllProcessInfo")}

    def start(self, name: str) -> None:
        """Start a program and do not wait; no error when it runs."""
        # A service is a name, and XML-RPC takes nothing but plain strings.
        self._call("startProcess", str(name), False)  # noqa: FBT003 - XML-RPC knows no keywords

    def stop(self, name: str) -> None:
        """Stop a program and do not wait; no error when it does not run."""
        self._call("stopProcess", str(name), False)  # noqa: FBT003 - as above

    def signal(self, name: str, signal: str) -> bool:
        """Send a program a signal by its name, `USR1`; False when it does not run."""
        return bool(self._call("signalProcess", str(name), signal))

    def shutdown(self) -> None:
        """Stop every program, then supervisord itself; returns at once."""
        self._call("shutdown")

    def log(self) -> str:
        """The end of supervisord's own log."""
        return str(self._call("readLog", -_TAIL * 4, 0))

    def _call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - XML-RPC has no types
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(self._path))
        try:
            with proxy as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in _SETTLED:
                return None
            raise AwayError(fault.faultString) from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise AwayError(str(error)) from error


def launch(configuration: Path, environment: Mapping[str, str], client: Supervisor, run: Path) -> None:
    """Start a supervisord that outlives us, and wait until it answers; EngineError when it does not.

    It runs in a session of its own, so that an interrupt of ours is not one of its programs', and as a child
    of nobody here, so that it leaves no zombie when it ends while we still run.
    """
    output = run / "supervisord.out"
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
    shell = ["/bin/sh", "-c", '"$@" </dev/null >"$0" 2>&1 & echo $!', str(output), *command]
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own files, as arguments
        shell, env=dict(environment), stdout=subprocess.PIPE, text=True, start_new_session=True, check=True
    )
    pid, end = int(done.stdout), time.monotonic() + _START
    while not client.alive():
        if time.monotonic() > end or not _runs(pid):
            said = " ".join(_said(output).split()) or "nothing"
            raise EngineError(Problem(f"supervisord does not start; it said: {said}", str(configuration)))
        time.sleep(0.02)


def _said(output: Path) -> str:
    try:
        return output.read_text(errors="replace")
    except OSError as error:  # on a full disk it could not even be made
        return f"nothing, its output cannot be read: {error.strerror}"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def exits(log: str, name: str, now: datetime, within: timedelta) -> int:
    """How often a program ended by itself lately, since the last start of supervisord, by its log.

    `now` is local and without zone, as the log's times are.
    """
    count = 0
    for line in log.rpartition("supervisord started with pid")[2].splitlines():
        if f"exited: {name} (" not in line:
            continue
        try:
            when = datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ007 - the log has no zone
        except ValueError:  # the first line may be cut in two
            continue
        count += now - when <= within
    return count


def _info(row: Mapping[str, Any]) -> Info:
    uptime = max(0, row["now"] - row["start"]) if row["pid"] else 0
    said = row["spawnerr"] or row["description"]
    return Info(row["name"], row["statename"], row["pid"], float(uptime), said)
