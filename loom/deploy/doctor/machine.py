"""The doctor's questions to this machine: one seam, and the real thing behind it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from loom.contract.environment import ENVIRONMENT
from loom.deploy.doctor.evidence import Credentials, Disk, Sender
from loom.deploy.doctor.standing import credentials
from loom.deploy.engine.deployment import Home
from loom.deploy.engine.processes import holder, own
from loom.deploy.plan.model import Plan
from loom.deploy.programs import OTELCOL
from loom.deploy.toolchain import locate
from loom.deploy.validate.process import ask

if TYPE_CHECKING:
    import psutil

_KINDS = {".yaml", ".yml", ".json", ".pem", ".crt"}
_MOST = 500
"""Files that are read of a folder; more than that is no folder of configuration."""
_LARGEST = 2_000_000
"""Bytes of a file that is read."""
_VALIDATION = 60.0
"""Seconds for `otelcol validate`."""


class Machine(Protocol):
    """What can be asked of this machine. Nothing raises: what may not be seen is not there."""

    def now(self) -> float:
        """Seconds since 1970."""

    def pause(self, seconds: float) -> None:
        """Wait between two looks at counters."""

    def listeners(self) -> Mapping[int, int]:
        """Port → pid of who listens; 0 for a process that may not be seen."""

    def who(self, port: int) -> str:
        """Who listens on a port, in words: a process, or the container behind it."""

    def own(self, home: Home) -> frozenset[int]:
        """Pids of a deployment's processes."""

    def senders(self, port: int) -> tuple[Sender, ...]:
        """Processes of this machine that are connected to a port of it."""

    def resident(self, pid: int) -> int:
        """Resident bytes of a process; 0 when there is none."""

    def files(self, folder: Path) -> Mapping[str, str]:
        """Configuration files below a folder, path → text; a folder may be a single file."""

    def credentials(self, plan: Plan, rendered: Path) -> Credentials:
        """How a plan's certificates and secrets stand, which lie beside what was rendered."""

    def disk(self, folder: Path) -> Disk | None:
        """The file system of a folder; None when there is no such folder."""

    def refusal(self, file: Path, environ: Mapping[str, str]) -> str | None:
        """What the real collector says against a configuration; None when it is not installed."""


class LocalMachine:
    """The real machine."""

    def now(self) -> float:
        """See `Machine.now`."""
        return time.time()

    def pause(self, seconds: float) -> None:
        """See `Machine.pause`."""
        time.sleep(seconds)

    def listeners(self) -> Mapping[int, int]:
        """See `Machine.listeners`."""
        import psutil  # noqa: PLC0415 - slow to import

        return {
            connection.laddr[1]: connection.pid or 0
            for connection in _connections()
            if connection.status == psutil.CONN_LISTEN and connection.laddr
        }

    def who(self, port: int) -> str:
        """See `Machine.who`."""
        described = holder(port)
        if "docker-proxy" not in described and "may not see" not in described:
            return described
        return _container(port) or described

    def own(self, home: Home) -> frozenset[int]:
        """See `Machine.own`."""
        return frozenset(process.pid for process in own(home))

    def senders(self, port: int) -> tuple[Sender, ...]:
        """See `Machine.senders`."""
        pids = {
            connection.pid
            for connection in _connections()
            if connection.pid and connection.pid != os.getpid() and connection.raddr[1:] == (port,)
        }
        return tuple(sender for pid in sorted(pids) if (sender := _sender(pid)))

    def resident(self, pid: int) -> int:
        """See `Machine.resident`."""
        import psutil  # noqa: PLC0415 - as above

        with suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
        return 0

    def files(self, folder: Path) -> Mapping[str, str]:
        """See `Machine.files`."""
        if folder.is_file():
            return {folder.name: folder.read_text(errors="replace")}
        return {path.relative_to(folder).as_posix(): text for path, text in _texts(folder)}

    def credentials(self, plan: Plan, rendered: Path) -> Credentials:
        """See `Machine.credentials`."""
        return credentials(plan, rendered)

    def disk(self, folder: Path) -> Disk | None:
        """See `Machine.disk`."""
        try:
            found = os.statvfs(folder)
        except OSError:
            return None
        return Disk(str(folder), found.f_frsize * found.f_blocks, found.f_frsize * found.f_bavail)

    def refusal(self, file: Path, environ: Mapping[str, str]) -> str | None:
        """See `Machine.refusal`."""
        found = locate(OTELCOL, os.environ)
        if found is None:
            return None
        kept = {"PATH": os.environ.get("PATH", ""), ENVIRONMENT.name: "doctor", **environ}
        answer = ask((str(found.path), "validate", "--config", str(file)), file.parent, kept, _VALIDATION)
        return answer.words if answer.code else ""


def _connections() -> "list[psutil._ntuples.sconn]":
    import psutil  # noqa: PLC0415 - as above

    with suppress(psutil.Error, OSError):
        return list(psutil.net_connections("tcp"))
    return []


def _sender(pid: int) -> Sender | None:
    import psutil  # noqa: PLC0415 - as above

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return Sender(pid, " ".join(process.cmdline())[:80], process.create_time())
    return None


def _container(port: int) -> str:
    """The container that Docker publishes the port for; empty when Docker cannot say."""
    docker = shutil.which("docker")
    if docker is None:
        return ""
    command = [docker, "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"]
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603 - fixed
        names = ", ".join(done.stdout.split())
        return f"container {names}" if names else ""
    return ""


def _texts(folder: Path) -> Iterator[tuple[Path, str]]:
    wanted = (path for path in sorted(folder.rglob("*")) if path.suffix in _KINDS and path.is_file())
    for _, path in zip(range(_MOST), wanted, strict=False):
        with suppress(OSError):
            if path.stat().st_size <= _LARGEST:
                yield path, path.read_text(errors="replace")
