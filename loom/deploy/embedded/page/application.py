"""The page's server: its files, four questions, and one stream that says when something is new."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from loom.deploy.embedded.live import Live
from loom.deploy.embedded.page.headers import StrictHeaders
from loom.deploy.embedded.report import document

_LOOK = 0.25
"""Seconds between two looks at whether something is new: a page that is repainted oftener helps nobody."""
_HEARTBEAT = 10.0
"""Seconds after which a silent stream says that it still lives."""
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FRONT = "index.html"
# A name that leads here by somebody else's DNS must not read what arrives.
_HOSTS = ["localhost", "127.0.0.1", "[::1]"]


@dataclass(frozen=True, slots=True)
class About:
    """What the page says of itself."""

    name: str
    """Of the deployment."""
    grpc: str
    """URL of OTLP/gRPC."""
    http: str
    """URL of OTLP/HTTP."""


def application(live: Live, about: About) -> Starlette:
    """The page, `/api/report`, `/api/traces`, `/api/traces/ID`, `/api/events`, `/api/health`."""

    def report() -> Response:
        version = live.version
        return JSONResponse({"about": asdict(about), "version": version, **document(live.report())})

    async def show_report(_: Request) -> Response:
        # In a thread: the inspection may be busy with a large request.
        return await run_in_threadpool(report)

    async def show_traces(_: Request) -> Response:
        return JSONResponse(await run_in_threadpool(live.traces))

    async def show_trace(request: Request) -> Response:
        found = await run_in_threadpool(live.waterfall, request.path_params["trace_id"])
        if found is None:
            return JSONResponse({"problem": "this trace is not kept any more"}, HTTPStatus.NOT_FOUND)
        return JSONResponse(found)

    async def show_health(_: Request) -> Response:
        return JSONResponse({"name": about.name})

    async def stream_events(request: Request) -> Response:
        return StreamingResponse(_events(request, live), media_type="text/event-stream")

    return Starlette(
        routes=[
            *(_asset(file) for file in (files(__package__) / "assets").iterdir()),
            Route("/api/report", show_report),
            Route("/api/traces", show_traces),
            Route("/api/traces/{trace_id}", show_trace),
            Route("/api/events", stream_events),
            Route("/api/health", show_health),
        ],
        middleware=[
            Middleware(StrictHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS),
        ],
    )


def _asset(file: Traversable) -> Route:
    """A file of the page, read once: all there is to serve is known from the start."""
    content, media_type = file.read_bytes(), _TYPES[file.name[file.name.rindex(".") :]]

    async def show(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route("/" if file.name == _FRONT else f"/{file.name}", show)


async def _events(request: Request, live: Live) -> AsyncIterator[str]:
    """The version whenever it is a new one, in the form of server-sent events."""
    known, silent = -1, 0.0
    while not live.closed and not await request.is_disconnected():
        if live.version != known:
            known, silent = live.version, 0.0
            yield _event({"version": known})
        elif silent >= _HEARTBEAT:
            # A parent that never came counts as lost only after a while: look again then.
            silent = 0.0
            yield _event({"version": known})
        await asyncio.sleep(_LOOK)
        silent += _LOOK


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"
