"""What telemetrygen sends, and to whom."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loom.contract import foreign
from loom.contract.series import Series
from loom.deploy.plan.identity import CA, CERTIFICATE, KEY
from loom.deploy.programs import TELEMETRYGEN
from loom.deploy.toolchain import require
from loom.errors import EngineError

REQUEST = 512
"""Items a request: what an SDK sends at once."""
SECONDS = 120.0
_TRACE = 10
"""Spans a trace."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of telemetry, and how much of it a burst is."""

    name: str
    """As people call the items."""
    series: Series
    """What counts them where they are received."""
    items: int
    """That the generator makes."""
    exact: bool
    """Whether it hands over all that it makes, however slow the receiver; spans beyond its queue it drops."""
    commands: tuple[tuple[str, ...], ...] = field(repr=False)
    """Its arguments, one run after the other."""


def _traces(count: int) -> tuple[str, ...]:
    return ("traces", "--traces", str(count), "--child-spans", str(_TRACE - 1))


def _metrics(count: int, kind: str) -> tuple[str, ...]:
    return ("metrics", "--metrics", str(count), "--metric-type", kind)


_SPANS, _SUMS, _HISTOGRAMS = 300_000, 300_000, 120_000
"""About a second of a collector's processor time: in less, its garbage is collected or not by chance."""
SIGNALS = (
    Signal("spans", foreign.ACCEPTED_SPANS, _SPANS, exact=False, commands=(_traces(_SPANS // _TRACE),)),
    Signal(
        "metric points",
        foreign.ACCEPTED_METRIC_POINTS,
        _SUMS + _HISTOGRAMS,
        exact=True,
        # Five to two, as in our contract.
        commands=(_metrics(_SUMS, "Sum"), _metrics(_HISTOGRAMS, "Histogram")),
    ),
)


@dataclass(frozen=True, slots=True)
class Target:
    """A collector's OTLP port over gRPC."""

    address: str
    """`127.0.0.1:4317`."""
    credentials: Path | None = None
    """The folder of whoever sends there; None without TLS."""


def send(target: Target, signal: Signal) -> None:
    """One burst, as fast as the receiver takes it; EngineError when the generator fails."""
    program = str(require(TELEMETRYGEN)[TELEMETRYGEN.name])
    for arguments in signal.commands:
        _generate([program, *arguments, *_whither(target)])


def _generate(command: Sequence[str]) -> None:
    # Nothing of the caller's OTEL_… or proxies.
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env={})
    if done.returncode:
        message = f"telemetrygen ended with {done.returncode}: {done.stderr.strip()[-300:]}"
        raise EngineError(message)


def _whither(target: Target) -> list[str]:
    full = ["--otlp-endpoint", target.address, "--rate", "0", "--batch-size", str(REQUEST)]
    return [*full, *_security(target.credentials)]


def _security(credentials: Path | None) -> list[str]:
    if credentials is None:
        return ["--otlp-insecure"]
    files = {"--ca-cert": CA, "--client-cert": CERTIFICATE, "--client-key": KEY}
    return ["--mtls", *(part for flag, file in files.items() for part in (flag, str(credentials / file)))]
