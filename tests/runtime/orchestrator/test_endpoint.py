"""The official client against a scripted endpoint, over HTTP."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from loom.errors import ConfigurationError
from loom.runtime.orchestrator import Backoff, Completion, Endpoint, Message, ModelError, ModelSettings, Usage
from loom.runtime.orchestrator.script import Reply
from loom.runtime.orchestrator.scripted import ScriptedServer

KEY = "sk-canary-1234"
QUESTION = (Message("user", "canary question"),)
Drive = Callable[[Any], Any]
Serve = Callable[..., ScriptedServer]


class Pauses:
    """Stands in for sleeping; remembers for how long."""

    def __init__(self) -> None:
        """No pause yet."""
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def complete(
    settings: ModelSettings,
    within: float = 30.0,
    backoff: Backoff | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Completion:
    async with Endpoint(settings, backoff or Backoff(first=0), sleep) as endpoint:
        return await endpoint.complete(QUESTION, (), "auto", within)


def failing(drive: Drive, settings: ModelSettings, **more: Any) -> ModelError:  # noqa: ANN401 - passed on
    with pytest.raises(ModelError) as caught:
        drive(complete(settings, **more))
    return caught.value


def test_an_answer_comes_back_with_its_usage(serve: Serve, drive: Drive) -> None:
    server = serve(Reply("Blue.", usage=Usage(7, 2)))
    assert drive(complete(server.settings())) == Completion("Blue.", usage=Usage(7, 2))


def test_the_key_is_sent_and_nothing_of_another_provider(
    serve: Serve, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-you")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-not-for-you")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-not-for-you")
    server = serve(Reply("x"), Reply("y"))
    drive(complete(server.settings(api_key=KEY)))
    drive(complete(server.settings()))
    assert [seen.headers["authorization"] for seen in server.requests] == [f"Bearer {KEY}", "Bearer none"]
    assert not any(name.startswith("openai-") for seen in server.requests for name in seen.headers)
    assert KEY not in repr(server.requests)


@pytest.mark.parametrize(
    ("reply", "code", "requests"),
    [
        (Reply(status=429), "MODEL_RATE_LIMITED", 3),
        (Reply(status=500), "MODEL_UNAVAILABLE", 3),
        (Reply(status=503), "MODEL_UNAVAILABLE", 3),
        (Reply(status=408), "MODEL_UNAVAILABLE", 3),
        (Reply(fault="drop"), "MODEL_UNREACHABLE", 3),
        (Reply(status=400), "MODEL_REFUSED", 1),
        (Reply(status=401), "MODEL_UNAUTHORIZED", 1),
        (Reply(status=404), "MODEL_NOT_FOUND", 1),
        (Reply(body='{"choices": ['), "MODEL_MALFORMED", 1),
        (Reply(body="<html>"), "MODEL_MALFORMED", 1),
        (Reply(body="null"), "MODEL_MALFORMED", 1),
    ],
    ids=str,
)
def test_each_failure_has_its_code_and_is_tried_as_often_as_it_makes_sense(
    serve: Serve, drive: Drive, reply: Reply, code: str, requests: int
) -> None:
    server = serve(reply, forever=True)
    error = failing(drive, server.settings())
    assert error.code == code
    assert error.problems[0].hint
    assert len(server.requests) == requests


def test_an_endpoint_that_is_down_is_named(serve: Serve, drive: Drive) -> None:
    server = serve()
    settings = server.settings()
    server.close()
    error = failing(drive, settings)
    assert error.code == "MODEL_UNREACHABLE"
    assert settings.base_url.split("/")[2] in str(error)
    assert "LOOM_MODEL_BASE_URL" in str(error)


def test_an_endpoint_that_is_silent_is_left_when_time_is_over(
    serve: Serve, drive: Drive, no_answer: Reply
) -> None:
    assert failing(drive, serve(no_answer).settings(), within=0.1).code == "MODEL_TIMEOUT"


def test_a_failure_that_passes_is_not_noticed(serve: Serve, drive: Drive) -> None:
    server = serve(Reply(status=429), Reply(status=500), Reply("Here."))
    assert drive(complete(server.settings())).text == "Here."


def test_pauses_grow_and_the_endpoint_may_ask_for_more(serve: Serve, drive: Drive) -> None:
    pauses = Pauses()
    server = serve(Reply(status=500), Reply(status=429, headers={"Retry-After": "5"}), Reply(status=500))
    failing(drive, server.settings(), backoff=Backoff(attempts=3, first=0.5), sleep=pauses)
    first, second = pauses.seconds
    assert 0.5 <= first <= 0.625
    assert 5 <= second <= 6.25


@pytest.mark.parametrize("after", ["soon", "nan", "-1", "Wed, 21 Oct 2015 07:28:00 GMT", "1" * 400])
def test_a_retry_after_that_is_no_number_counts_as_absent(serve: Serve, drive: Drive, after: str) -> None:
    pauses = Pauses()
    server = serve(Reply(status=429, headers={"Retry-After": after}), Reply("Here."))
    drive(complete(server.settings(), sleep=pauses))
    assert pauses.seconds == [0]


def test_a_pause_past_the_deadline_is_not_made(serve: Serve, drive: Drive) -> None:
    pauses = Pauses()
    server = serve(Reply(status=429, headers={"Retry-After": "60"}))
    error = failing(drive, server.settings(), within=30.0, sleep=pauses)
    assert error.code == "MODEL_RATE_LIMITED"
    assert pauses.seconds == []


@pytest.mark.parametrize("reply", [Reply(status=400), Reply(status=500), Reply(body="canary body")], ids=str)
def test_nothing_the_endpoint_says_and_no_key_is_in_the_error_or_the_logs(
    serve: Serve, drive: Drive, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "loom")
    echo = (
        Reply(status=reply.status, body='{"error": {"message": "canary body"}}')
        if reply.status > 200
        else reply
    )
    error = failing(drive, serve(echo, forever=True).settings(api_key=KEY))
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert "canary" not in str(error) + caplog.text


def test_a_schema_that_is_no_json_is_refused_before_it_is_sent(serve: Serve, drive: Drive) -> None:
    from loom.runtime.orchestrator import Function  # noqa: PLC0415 - only this test

    server = serve(Reply("x"))

    async def ask() -> None:
        async with Endpoint(server.settings()) as endpoint:
            await endpoint.complete(QUESTION, [Function("a", "", {"x": object()})], "auto", 5.0)

    with pytest.raises(ModelError, match="schemas"):
        drive(ask())
    assert server.requests == []


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ConfigurationError, match="openai"):
        Endpoint(ModelSettings("m"))


FIRST_REQUEST = """
import asyncio, sys
from loom.runtime.orchestrator import Backoff, Endpoint, Message, ModelError, ModelSettings
endpoint = Endpoint(ModelSettings(base_url="http://127.0.0.1:9/v1", model="m"), Backoff(attempts=1))
before = set(sys.modules)
try:
    asyncio.run(endpoint.complete([Message("user", "hello")], [], "auto", 5.0))
    print("answered")
except ModelError:
    pass
print([name for name in set(sys.modules) - before if name.startswith("openai")])
"""


def test_the_first_request_imports_nothing_of_the_client_while_agents_wait() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_REQUEST], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
