"""What tests of examples share: an OTLP receiver, and examples run as a person runs them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from loom.contract import environment
from loom.receiver import Recorder, recording

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def receiver() -> Iterator[Recorder]:
    with recording() as one:
        yield one


@pytest.fixture
def run(receiver: Recorder) -> Run:
    """Runs an example with the receiver as its collector: name, arguments, further variables."""

    def start(name: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"loom.examples.{name}", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, environment.ENDPOINT.name: receiver.endpoint, **environ},
        )

    return start
