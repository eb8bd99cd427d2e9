"""A model behind an OpenAI-compatible endpoint, through the official client (the extra `openai`)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from loom.errors import ConfigurationError, Problem
from loom.runtime.orchestrator import refusal, wire
from loom.runtime.orchestrator.backoff import Backoff
from loom.runtime.orchestrator.failure import TransientError, late
from loom.runtime.orchestrator.message import Completion, Function, Message, ToolChoice
from loom.runtime.orchestrator.settings import ModelSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_NO_KEY = "none"
"""The client insists on a key; a server that needs none ignores it."""
BACKOFF = Backoff()


class Endpoint:
    """A `ModelClient`; close it, or use it as a context manager.

    429, 408, 409, 5xx and broken connections are tried again within the time of the request. A pause that
    would not fit in that time is not made: the failure is reported at once.
    """

    def __init__(
        self,
        settings: ModelSettings,
        backoff: Backoff = BACKOFF,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Nothing is sent yet. ConfigurationError when the extra `openai` is not installed."""
        self._settings = settings
        self._backoff = backoff
        self._sleep = sleep
        self._client = _connect(settings)

    @property
    def model(self) -> str:
        """The model that is asked for."""
        return self._settings.model

    @property
    def provider(self) -> str:
        """Who serves it."""
        return self._settings.provider

    async def complete(
        self, messages: Sequence[Message], tools: Sequence[Function], choice: ToolChoice, within: float
    ) -> Completion:
        """One answer within `within` seconds, retries included; ModelError otherwise."""
        body = {"messages": wire.write_messages(messages), **wire.write_tools(tools, choice)}
        end = asyncio.get_running_loop().time() + within
        try:
            async with asyncio.timeout_at(end):
                return await self._persist(body, end)
        except TimeoutError:
            raise late(within) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.close()

    async def _persist(self, body: dict[str, Any], end: float) -> Completion:
        """Try until it works, the attempts are used up, or the next pause would be too long."""
        attempt = 1
        while True:
            try:
                return wire.read(await self._send(body, end))
            except TransientError as error:
                pause = self._backoff.pause(attempt, error.after)
                late = asyncio.get_running_loop().time() + pause >= end
                if attempt >= self._backoff.attempts or late:
                    raise
            await self._sleep(pause)
            attempt += 1

    async def _send(self, body: dict[str, Any], end: float) -> bytes:
        from openai import OpenAIError  # noqa: PLC0415 - an extra that takes a second to import

        left = max(end - asyncio.get_running_loop().time(), 0.001)
        try:
            response = await self._client.chat.completions.with_raw_response.create(
                model=self.model, timeout=left, **body
            )
        except OpenAIError as error:
            # The client's errors quote what the endpoint sent, which may quote the prompt: not chained.
            raise refusal.read(error, self._settings.base_url) from None
        except (TypeError, ValueError):  # from json and from encoding it; they quote the value
            raise refusal.unwritable() from None
        return bytes(response.content)


def _connect(settings: ModelSettings) -> "AsyncOpenAI":
    try:
        from openai import AsyncOpenAI  # noqa: PLC0415 - an extra that takes a second to import
    except ImportError as error:
        raise ConfigurationError(
            Problem("the client for models is not installed", hint="install loom-deploy[openai]")
        ) from error
    client = AsyncOpenAI(api_key=settings.api_key or _NO_KEY, base_url=settings.base_url, max_retries=0)
    # OPENAI_ORG_ID and OPENAI_PROJECT_ID are meant for one provider, not for whatever endpoint this is.
    client.organization = client.project = None
    # The client imports what it calls when first asked for: now, or the first request would stop every agent.
    _ = client.chat.completions.with_raw_response
    return client
