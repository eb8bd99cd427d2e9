"""What the orchestrator's tests stand on: captured telemetry, scripted endpoints, nothing left behind."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from loom.runtime.orchestrator import (
    Answer,
    Backoff,
    Endpoint,
    FakeTools,
    Message,
    Options,
    Orchestrator,
    Tools,
)
from loom.runtime.orchestrator.script import Reply, Script
from loom.runtime.orchestrator.scripted import ScriptedServer
from loom.telemetry.capture import Capture, capture

AT_ONCE = Backoff(attempts=3, first=0)


@pytest.fixture
def captured() -> Iterator[Capture]:
    with capture() as taken:
        yield taken


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert {thread.name for thread in set(threading.enumerate()) - before if "loom" in thread.name} == set()


@pytest.fixture
def drive() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on a loop of its own; no task may be left when it is done."""

    async def whole(coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever it returns
        result = await coroutine
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    return lambda coroutine: asyncio.run(whole(coroutine))


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """A scripted endpoint for these replies; closed behind the test."""
    with ExitStack() as stack:
        yield lambda *replies, forever=False: stack.enter_context(
            ScriptedServer(Script(tuple(replies), forever))
        )


@pytest.fixture
def answer(captured: Capture, drive: Callable[[Coroutine[Any, Any, Any]], Any]) -> Callable[..., Answer]:
    """Ask a scripted endpoint over HTTP with the official client: question, server, tools, options."""

    def ask(
        server: ScriptedServer,
        tools: Tools | None = None,
        options: Options | None = None,
        question: str | list[Message] = "What is it?",
        **more: Any,  # noqa: ANN401 - passed on
    ) -> Answer:
        async def run() -> Answer:
            async with Endpoint(server.settings(), AT_ONCE) as model:
                orchestrator = Orchestrator(
                    model, tools or FakeTools({}), captured.telemetry, options or Options(), **more
                )
                return await orchestrator.run(question)

        result: Answer = drive(run())
        return result

    return ask


@pytest.fixture
def no_answer() -> Reply:
    """The connection stays open and silent."""
    return Reply(fault="hang")
