"""The streamable HTTP transport: the SDK's own, with a limit for answers and a deadline for good-byes.

It is imported late, since it needs the SDK.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage

from loom.runtime.mcp.config import Limits, StreamableHttp
from loom.runtime.mcp.evidence import Evidence

TOO_LARGE = "loom: body too large"
"""Part of the text of the SDK's error for an answer that was thrown away."""

TOO_LARGE_EVENT = "byte limit"
"""The same for an answer that came as a server-sent event: httpx2's own words."""

EVENT_STREAM = "text/event-stream"


class BodyError(httpx2.StreamError):
    """A body that must not be read on; the SDK turns it into the error of one request."""


class _Limited(httpx2.AsyncByteStream):
    """A body that ends with an error once it is longer than its limit."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > self._limit:
                raise BodyError(TOO_LARGE)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@asynccontextmanager
async def open_http(
    endpoint: StreamableHttp, limits: Limits, evidence: Evidence
) -> AsyncIterator[tuple[ReadStream[SessionMessage | Exception], WriteStream[SessionMessage]]]:
    """Message streams over HTTP, as the SDK wants them."""

    async def bound(response: httpx2.Response) -> None:
        evidence.http_status = response.status_code
        # Events are limited one by one, by the SDK.
        streamed = response.headers.get("content-type", "").lower().startswith(EVENT_STREAM)
        if not streamed and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Limited(response.stream, limits.result_bytes)

    async def hurry(request: httpx2.Request) -> None:
        if request.method == "DELETE":
            request.extensions["timeout"] = httpx2.Timeout(limits.stop_timeout).as_dict()

    async with (
        httpx2.AsyncClient(
            # Compressed answers could be small on the wire and huge behind it.
            headers={"accept-encoding": "identity", **endpoint.headers},
            # Every request has a deadline of its own; a subscription has none, by design.
            timeout=httpx2.Timeout(limits.connect_timeout, read=None),
            event_hooks={"request": [hurry], "response": [bound]},
        ) as client,
        streamable_http_client(
            endpoint.url, http_client=client, max_sse_event_size=limits.result_bytes
        ) as streams,
    ):
        yield streams
