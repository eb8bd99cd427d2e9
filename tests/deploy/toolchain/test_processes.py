"""Several processes at once: one installs, the others wait; none outlives its installation."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loom.deploy.programs import JAEGER
from loom.deploy.toolchain import Command, FakeGo, Heard, Phase, ProcessRunner, Site, install, locate
from loom.deploy.toolchain.lock import hold
from loom.errors import ToolchainError

INSTALL = """
import sys
from pathlib import Path
from loom.deploy.programs import JAEGER
from loom.deploy.toolchain import FakeGo, Heard, Site, install
from loom.deploy.toolchain.go import Go

def compiling(target):
    print("compiling", flush=True)
    sys.stdin.readline()

fake = FakeGo({"jaeger": "2.13.0"}, compiling=compiling)
install([JAEGER], report=Heard(), site=Site(go=Go(Path("/fake/go"), Path("/fake")), runner=fake))
print("builds", sum(command.arguments[1] == "build" for command in fake.commands), flush=True)
"""


@pytest.fixture
def other(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Another installation of Jaeger, in the middle of its build until it is sent a line."""
    with subprocess.Popen(
        [sys.executable, "-c", INSTALL],
        env={**environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "compiling\n"
        yield process
        process.kill()


class _Waiting(Heard):
    """Lets the other installation go on once this one has reported that it waits."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__()
        self._process = process

    def __call__(self, progress: object) -> None:
        super().__call__(progress)  # type: ignore[arg-type] # the base class checks nothing either
        if len(self) == 1:
            assert self._process.stdin is not None
            self._process.stdin.write("\n")
            self._process.stdin.flush()


def test_the_second_installation_waits_says_for_whom_and_builds_nothing(
    other: subprocess.Popen[str], site: Site, fake: FakeGo
) -> None:
    heard = _Waiting(other)
    located = install([JAEGER], report=heard, site=site)
    assert heard[0].phase is Phase.WAITING
    assert heard[0].detail == f"another installation is running (pid {other.pid})"
    assert heard.phases == [Phase.WAITING]
    assert located[0].version == "2.13.0"
    assert fake.commands == []
    assert other.stdout is not None
    assert other.stdout.readline() == "builds 1\n"


def test_a_killed_installation_gives_the_lock_back_and_leaves_no_program(
    other: subprocess.Popen[str], site: Site, fake: FakeGo
) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait(30)
    assert locate(JAEGER, site.environ) is None
    heard = Heard()
    install([JAEGER], report=heard, site=site)
    assert Phase.WAITING not in heard.phases
    assert len(fake.commands) == 2
    assert list(site.cache.work.iterdir()) == []


def test_waiting_has_an_end(other: subprocess.Popen[str], site: Site) -> None:
    with (
        pytest.raises(ToolchainError, match=f"another installation does not end .pid {other.pid}."),
        hold(site.cache.lock, lambda _pid: None, deadline=0),
    ):
        pytest.fail("the lock was given twice")


def _command(tmp_path: Path, script: str, deadline: float = 60) -> Command:
    return Command(("/bin/sh", "-c", script), tmp_path, {"PATH": os.environ["PATH"]}, deadline)


def test_output_of_both_streams_comes_line_by_line(tmp_path: Path) -> None:
    lines: list[str] = []
    assert ProcessRunner().run(_command(tmp_path, "echo one; echo two >&2; exit 3"), lines.append) == 3
    assert lines == ["one", "two"]


def _gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(30)
    return not psutil.pid_exists(pid)


def test_an_interrupt_ends_the_program_and_its_children(tmp_path: Path) -> None:
    pids: list[int] = []

    def tell(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ProcessRunner().run(_command(tmp_path, "sleep 600 & echo $!; echo $$; wait"), tell)
    assert all(_gone(pid) for pid in pids)


def test_a_program_that_ignores_being_asked_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loom.deploy.toolchain.process.GRACE", 0.1)
    pids: list[int] = []

    def tell(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    script = "trap '' TERM; echo $$; while :; do sleep 600; done"
    with pytest.raises(KeyboardInterrupt):
        ProcessRunner().run(_command(tmp_path, script), tell)
    assert _gone(pids[0])


def test_a_program_that_never_ends_is_ended_at_its_deadline(tmp_path: Path) -> None:
    assert (
        ProcessRunner().run(_command(tmp_path, "sleep 600", deadline=0.1), lambda _line: None)
        == -signal.SIGKILL
    )
    assert threading.active_count() < 10
