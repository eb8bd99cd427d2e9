"""A trial: a program of the user's runs against a receiver of ours, and its telemetry is judged."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from loom.deploy.embedded.environment import GRPC, HTTP, aimed_at
from loom.deploy.embedded.live import Live
from loom.deploy.embedded.report import Report
from loom.deploy.embedded.requirement import EVERYTHING, Requirement
from loom.errors import MachineError, Problem
from loom.receiver.decode import Decoder
from loom.receiver.receiver import receiving

_QUIET = 2.0
"""Seconds without anything new, after the program's end, that mean that nothing more comes."""
_LONGEST = 15.0
"""Seconds to wait at the most for what its children still send."""
_GRACE = 10.0
"""Seconds that a program has to end once it was asked to."""
_RELAYED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run, and what to demand of it."""

    command: tuple[str, ...]
    requirement: Requirement = EVERYTHING
    protocol: str = GRPC
    timeout: float = 600.0
    """Seconds until it is ended."""
    quiet: bool = False
    """Whether its standard output goes to standard error, because ours is for a program to read."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What came of it."""

    report: Report
    code: int
    """Of the program; below zero the signal that ended it."""
    seconds: float
    """How long it ran."""
    late: bool = False
    """Whether it had to be ended at its deadline."""
    interrupted: int = 0
    """The signal that we were asked to pass on; 0 when there was none."""
    command: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Of the program itself, then of its telemetry."""
        return (*self.own, *self.report.problems)

    @property
    def own(self) -> tuple[Problem, ...]:
        """What is wrong with the program itself."""
        return tuple(self._own())

    def _own(self) -> Iterator[Problem]:
        if self.late:
            yield Problem(
                f"COMMAND had not ended in time, and was ended after {self.seconds:.1f} s", hint="--timeout"
            )
        elif self.code < 0:
            yield Problem(f"COMMAND was ended by signal {-self.code} ({signal.strsignal(-self.code)})")
        elif self.code:
            silent = not (self.report.arrived or self.report.points)
            hint = _stranger(self.command) if self.command and silent else ""
            yield Problem(f"COMMAND ended with exit code {self.code}", hint=hint)


def _stranger(command: Sequence[str]) -> str:
    """Why a program that failed and sent nothing could not import Loom: a Python that does not have it."""
    found = shutil.which(command[0])
    ours = f"loom is installed for {sys.executable}"
    if not found or not Path(found).name.startswith("python"):
        return f"if it could not import loom: {ours}"
    if Path(found).parent.resolve() == Path(sys.executable).parent.resolve():
        return ""
    return f"{found} ran it, and {ours}: take that one if loom or opentelemetry could not be imported"


def run(trial: Trial) -> TrialResult:
    """Run it to its end, and wait until its telemetry has arrived; MachineError when it cannot be started.

    Signals that reach this process are passed on to the program meanwhile.
    """
    live = Live()
    with receiving(Decoder(live.take)) as receiver:
        endpoint = receiver.http_endpoint if trial.protocol == HTTP else receiver.endpoint
        begun = time.monotonic()
        environ = aimed_at(endpoint, trial.protocol, os.environ)
        with _relaying() as relay, _started(trial, environ) as process:
            relay.lead_to(process)
            late = _wait(process, trial.timeout)
        seconds = time.monotonic() - begun
        live.settle(trial.requirement, _QUIET, _LONGEST)
    report = live.report(trial.requirement, ended=True)
    return TrialResult(
        report, process.returncode, seconds, late, relay.came[0] if relay.came else 0, trial.command
    )


@contextmanager
def _started(trial: Trial, environ: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """The program; it does not outlive the block."""
    output = sys.stderr.fileno() if trial.quiet else None
    try:
        process = subprocess.Popen(trial.command, env=environ, stdout=output)  # noqa: S603 - what the user asked for
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        hint = "is it installed, and on PATH?" if isinstance(error, FileNotFoundError) else ""
        raise MachineError(Problem(f"cannot run {trial.command[0]!r}: {why}", hint=hint)) from error
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", timeout: float) -> bool:
    """Until it has ended, or was ended because its time was up: whether it was."""
    import psutil  # noqa: PLC0415 - only a program that is late needs it

    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        # Its children too: `sh -c` and test runners do not pass a signal on.
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        for child in family:
            with suppress(psutil.NoSuchProcess):
                child.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        for child in psutil.wait_procs(family, _GRACE)[1]:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        return True
    return False


class Relay:
    """Passes signals on to a program, which decides what becomes of it."""

    def __init__(self) -> None:
        """No program yet: what comes before it is kept for it."""
        self.came: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    def lead_to(self, process: "subprocess.Popen[bytes]") -> None:
        """From now on to this program."""
        self._process = process
        for number in self.came:
            process.send_signal(number)

    def pass_on(self, number: int, frame: FrameType | None) -> None:
        """Handle one signal."""
        del frame
        self.came.append(number)
        # Ctrl-C at a terminal has reached the program already: it is in the same foreground group.
        if self._process and not (number == signal.SIGINT and sys.stdin.isatty()):
            self._process.send_signal(number)


@contextmanager
def _relaying() -> Iterator[Relay]:
    relay = Relay()
    before = {number: signal.signal(number, relay.pass_on) for number in _RELAYED}
    try:
        yield relay
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
