"""A manager on a real broker, servers that misbehave on request, the proof that nothing is left behind."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from loom.runtime import ActionBroker
from loom.runtime.call import Call, Result
from loom.runtime.mcp import Backoff, Limits, Manager, Options, ServerConfig, Stdio
from loom.runtime.mcp.manager import over_sdk
from loom.telemetry.capture import Capture

SERVERS = Path(__file__).parent / "servers"
LIMITS = Limits(connect_timeout=30, call_timeout=20, health_interval=600, health_timeout=10, stop_timeout=0.5)
SOON = Options(backoff=Backoff(first=0.05, cap=0.2))


class House(NamedTuple):
    """A broker and the manager that registers at it."""

    broker: ActionBroker
    manager: Manager
    captured: Capture

    async def call(self, capability: str, payload: object = None, timeout: float = 30) -> Result:  # noqa: ASYNC109 - the call's own
        return await self.broker.invoke(Call(capability, payload, timeout=timeout))


OpenHouse = Callable[..., AbstractAsyncContextManager[House]]
Serve = Callable[..., ServerConfig]


@pytest.fixture
def house(captured: Capture) -> OpenHouse:
    """Opens a broker with a manager, for a `async with` block that must leave no task behind."""

    @asynccontextmanager
    async def open_house(options: Options = SOON) -> AsyncIterator[House]:
        before = asyncio.all_tasks()
        async with (
            ActionBroker(captured.telemetry) as broker,
            Manager(broker, captured.telemetry, options) as manager,
        ):
            yield House(broker, manager, captured)
        assert [task for task in asyncio.all_tasks() - before if not _is_a_tests_own(task)] == []

    return open_house


@pytest.fixture
def raw() -> Serve:
    """The configuration of a server without the SDK in one of its modes."""

    def configure(mode: str, name: str = "raw", **limits: Any) -> ServerConfig:  # noqa: ANN401 - seconds, or bytes
        return ServerConfig(
            name, Stdio(sys.executable, ("-S", str(SERVERS / "raw.py"), mode)), replace(LIMITS, **limits)
        )

    return configure


@pytest.fixture
def sdk() -> Serve:
    """The configuration of a stdio server of the SDK."""

    def configure(name: str = "sdk", *words: str, **limits: Any) -> ServerConfig:  # noqa: ANN401 - seconds, or bytes
        return ServerConfig(
            name, Stdio(sys.executable, (str(SERVERS / "sdk.py"), *words)), replace(LIMITS, **limits)
        )

    return configure


@pytest.fixture
def with_environ() -> Callable[[Mapping[str, str]], Options]:
    """Options whose stdio servers see another environment than ours."""

    def choose(environ: Mapping[str, str]) -> Options:
        return replace(SOON, connect=over_sdk(environ))

    return choose


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No child process but those of other rooms' fixtures, and no thread that waits for one."""
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) - before == set()
    for thread in [thread for thread in threading.enumerate() if thread.name.startswith("waitpid")]:
        thread.join(5)
        assert not thread.is_alive()


def _is_a_tests_own(task: asyncio.Task[Any]) -> bool:
    """Such as the handlers of an HTTP server that a test plays."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and Path(code.co_filename).is_relative_to(Path(__file__).parent)
