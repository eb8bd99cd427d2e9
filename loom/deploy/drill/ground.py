"""Where a drill takes place: a native deployment of its own, programs in trouble, and a receiver."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom.contract import environment
from loom.contract.promql import select
from loom.contract.series import Series
from loom.deploy.artifacts.environment import settings
from loom.deploy.drill.receiver import Receiver
from loom.deploy.engine import Deployment
from loom.deploy.engine.supervisor import SOCKET, Supervisor
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.verify.client import connect, get

TROUBLE = "loom.examples.trouble"
"""The program that makes faults inside Loom; a module's name, since deploy does not import the runtime."""
_END = 20.0
"""Seconds a program gets to end."""
_LOOK = 0.1


@dataclass
class Ground:
    """What causes do their harm to."""

    deployment: Deployment
    receiver: Receiver
    _programs: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _edited: dict[Path, str | None] = field(default_factory=dict)
    """What a file was before; None where there was none."""
    _held: dict[str, ExitStack] = field(default_factory=dict)
    """What lasts until its cause is removed, by name."""

    @property
    def plan(self) -> Plan:
        """Of the deployment."""
        return self.deployment.plan

    @property
    def folder(self) -> Path:
        """The rendered files."""
        return self.deployment.home.rendered

    def ask(self, service: Service, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        """What a service's interface answers; EngineError when it does not."""
        with connect(self.plan.reached(service, Purpose.UI), self.deployment.access) as client:
            return get(client, path, parameters)

    def value(self, series: Series) -> float:
        """The latest value of a series of Prometheus, 0 where there is none."""
        rows = self.ask(Service.PROMETHEUS, "/api/v1/query", query=str(select(series)))["data"]["result"]
        return float(rows[0]["value"][1]) if rows else 0.0

    def launch(self, name: str, *troubles: str, **variables: str) -> None:
        """Start a program in trouble that reports as the service `name`."""
        self.end(name)
        told = {
            one.name: value for one, value in settings(self.plan, str(self.deployment.home.secrets / LOOM))
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
        own = {environment.SERVICE_NAME.name: name}
        with (self.deployment.home.run / f"{name}.log").open("ab") as log:
            self._programs[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", TROUBLE, *troubles],
                env={**kept, **told, **own, **variables},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def mend(self, name: str) -> None:
        """Let a program's faults end, and the program go on."""
        stdin = self._programs[name].stdin
        if stdin:
            stdin.write(b"mend\n")
            stdin.flush()

    def end(self, name: str) -> None:
        """Let a program end, as planned, if it runs."""
        process = self._programs.pop(name, None)
        if process is None:
            return
        with suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def enter(self, name: str, block: AbstractContextManager[None]) -> None:
        """Keep a block of harm open until `leave`, or until the end."""
        self._held[name] = ExitStack()
        self._held[name].enter_context(block)

    def leave(self, name: str) -> None:
        """Close it."""
        self._held.pop(name).close()

    def stop(self, service: Service) -> None:
        """Stop a program of the pipeline."""
        self.supervisor.stop(str(service))

    def start(self, service: Service) -> None:
        """Start it again."""
        self.supervisor.start(str(service))

    def kill(self, service: Service) -> None:
        """Kill it once it counts as started; supervisord starts it again."""
        program = self.supervisor.programs()[service]
        if program.state == "RUNNING":
            os.kill(program.pid, signal.SIGKILL)

    def wipe(self, service: Service) -> None:
        """Stop it, remove its data, and start it again."""
        self.stop(service)
        end = time.monotonic() + _END
        while self.supervisor.programs()[service].pid and time.monotonic() < end:
            time.sleep(_LOOK)
        shutil.rmtree(self.deployment.home.data / service)
        self.start(service)

    def reload(self, service: Service) -> None:
        """Let it read its configuration anew."""
        os.kill(self.supervisor.programs()[service].pid, signal.SIGHUP)

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        """Change a rendered file, or make one from nothing."""
        file = self.folder / path
        before = file.read_text() if file.exists() else None
        self._edited.setdefault(file, before)
        file.write_text(change(before or ""))

    def restore(self, path: str) -> None:
        """Make it what it was."""
        file = self.folder / path
        before = self._edited.pop(file)
        if before is None:
            file.unlink()
        else:
            file.write_text(before)

    @property
    def supervisor(self) -> Supervisor:
        """What starts and stops the programs."""
        return Supervisor(self.deployment.home.short_run / SOCKET)

    @contextmanager
    def standing(self) -> Iterator["Ground"]:
        """End every program of ours at the end of the block."""
        with ExitStack() as exits:
            try:
                yield self
            finally:
                for name in tuple(self._held):
                    exits.callback(self.leave, name)
                for name in tuple(self._programs):
                    exits.callback(self.end, name)
