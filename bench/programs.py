"""What the real programs need by themselves: each one started alone on the rendered configuration.

Prometheus has done its part when it has scraped for the first time, on its own schedule, which the profile
sets: before that it can have no metric. Every other program when it answers that it is ready.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loom.deploy.artifacts.supervisor import STOP_SECONDS, Process, processes, variable
from loom.deploy.engine import Home, configuration, readiness
from loom.deploy.engine.lifecycle import CONFIGURATION
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.toolchain import require
from loom.deploy.verify.client import connect
from loom.deploy.verify.prometheus import Prometheus
from loom.errors import EngineError

SECONDS = 60.0
_POLL = 0.01


@dataclass(frozen=True, slots=True)
class Alone:
    """Seconds that the services need by themselves, one after the other."""

    ready: float
    """Until each answered that it is ready."""
    scraped: float
    """From then until Prometheus had scraped."""


def start_alone(plan: Plan, home: Home) -> Alone:
    """Start one service after the other, with nothing else running; `home` has the rendered configuration.

    ToolchainError when a program is missing, EngineError when one does not become ready.
    """
    found = require(*configuration.PROGRAMS)
    home.make()
    environ = configuration.environment(home, found, os.environ)
    ready = scraped = 0.0
    for process in processes(plan):
        began = time.monotonic()
        with running(plan, home, process, environ) as started:
            wait(started, lambda: readiness.obstacle(plan, process.service))  # noqa: B023 - called here only
            ready += time.monotonic() - began
            if process.service is Service.PROMETHEUS:
                began = time.monotonic()
                with connect(plan.reached(Service.PROMETHEUS, Purpose.UI)) as client:
                    store = Prometheus(client)
                    wait(started, lambda: "" if store.targets() else "it has not scraped")  # noqa: B023 - as above
                scraped = time.monotonic() - began
    return Alone(ready, scraped)


@contextmanager
def running(
    plan: Plan, home: Home, process: Process, environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A service's program as the native engine would start it, while the block lasts; `home` is made."""
    (home.data / process.name).mkdir(exist_ok=True)
    own = {"GOMEMLIMIT": f"{process.memory_mib}MiB", **dict(process.variables)}
    command = [environ[variable(plan, process.service)], *_expand(process.arguments, home, environ)]
    started = subprocess.Popen(
        command,
        env={**environ, **own},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=home.run,
    )
    try:
        yield started
    finally:
        started.terminate()
        started.wait(STOP_SECONDS[process.service])


def wait(started: subprocess.Popen[bytes], obstacle: Callable[[], str]) -> None:
    """Until nothing is in the way; EngineError when it takes too long, or the program has ended."""
    end = time.monotonic() + SECONDS
    while why := obstacle():
        if started.poll() is not None or time.monotonic() > end:
            message = f"{started.args!s:.80} alone does not start: {why}"
            raise EngineError(message)
        time.sleep(_POLL)


def _expand(arguments: tuple[str, ...], home: Home, environ: Mapping[str, str]) -> list[str]:
    """The arguments as supervisord would hand them over."""
    values = {"here": str(_folder(home)), **{f"ENV_{name}": value for name, value in environ.items()}}
    return [argument % values for argument in arguments]


def _folder(home: Home) -> Path:
    return (home.rendered / CONFIGURATION).parent
