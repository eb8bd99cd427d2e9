"""OTLP/HTTP: protobuf or JSON, plain or compressed."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # generated, without types
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loom.receiver import body
from loom.receiver.body import RefusedBodyError
from loom.receiver.signals import MAX_BYTES, Signal, Sink, signals

# Of google.rpc.Code, which the error's body carries beside HTTP's own status.
_INVALID_ARGUMENT = 3


def application(sink: Sink) -> Starlette:
    """`POST /v1/traces` and `POST /v1/metrics`."""
    return Starlette(
        routes=[Route(signal.path, _endpoint(signal), methods=["POST"]) for signal in signals(sink)]
    )


def _endpoint(signal: Signal) -> Callable[[Request], Awaitable[Response]]:
    async def export(request: Request) -> Response:
        media = body.PROTOBUF
        try:
            media = body.media(request.headers.get("content-type", ""))
            packed = await _read(request)
            encoding = request.headers.get("content-encoding", "")
            # In a thread: a large request must not hold up the others.
            answer = await run_in_threadpool(_take, signal, packed, encoding, media)
        except RefusedBodyError as refused:
            status = Status(code=_INVALID_ARGUMENT, message=refused.reason)
            return Response(body.written(status, media), refused.status, media_type=media)
        return Response(answer, HTTPStatus.OK, media_type=media)

    return export


def _take(signal: Signal, packed: bytes, encoding: str, media: str) -> bytes:
    request = body.parse(body.unpack(packed, encoding), media, signal.request)
    return body.written(signal.answer(request), media)


async def _read(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise body.too_large()
        parts.append(part)
    return b"".join(parts)
