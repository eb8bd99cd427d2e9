"""The body of an OTLP/HTTP request: its size, its compression, protobuf or JSON."""

import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]  # it ships no types
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]  # as above

from loom.receiver.signals import MAX_BYTES, serialized

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
_GZIP = 16 + zlib.MAX_WBITS
_IDS = {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"}


class RefusedBodyError(Exception):
    """A request that is not taken, and the HTTP status that says why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        """`reason` goes into the answer."""
        super().__init__(reason)
        self.status = status
        self.reason = reason


def too_large() -> RefusedBodyError:
    """The refusal of a body beyond the limit."""
    return RefusedBodyError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than {MAX_BYTES} bytes, decompressed"
    )


def media(content_type: str) -> str:
    """The media type, one of the two that OTLP knows; RefusedBodyError 415 otherwise."""
    found = content_type.partition(";")[0].strip().lower()
    if found not in {PROTOBUF, JSON}:
        reason = f"content type {found or 'missing'}: {PROTOBUF} and {JSON} are taken"
        raise RefusedBodyError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)
    return found


def unpack(body: bytes, encoding: str) -> bytes:
    """The body without its compression, never more than the limit of it; RefusedBodyError 400, 413, 415."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "deflate"}:
        raise RefusedBodyError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content encoding {encoding} is not known")
    inflater = zlib.decompressobj(_GZIP if encoding == "gzip" else zlib.MAX_WBITS)
    try:
        # Bounded: a kilobyte of zeros, compressed, must not become a gigabyte here.
        plain = inflater.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise RefusedBodyError(HTTPStatus.BAD_REQUEST, f"not {encoding}: {error}") from error
    if len(plain) > MAX_BYTES:
        raise too_large()
    if not inflater.eof or inflater.unused_data:
        raise RefusedBodyError(HTTPStatus.BAD_REQUEST, f"{encoding} data does not end where the body does")
    return plain


def parse(plain: bytes, media_type: str, empty: Callable[[], Message]) -> Message:
    """The request; RefusedBodyError 400 when it is none."""
    request = empty()
    try:
        if media_type == PROTOBUF:
            request.ParseFromString(plain)
        else:
            # OTLP writes ids as hex, protobuf's own JSON form as base64; unknown keys are to be ignored.
            json_format.ParseDict(_with_ids(_object(plain)), request, ignore_unknown_fields=True)
    except (DecodeError, json_format.ParseError, ValueError, RecursionError) as error:
        raise RefusedBodyError(HTTPStatus.BAD_REQUEST, f"not an OTLP request: {error}"[:500]) from error
    return request


def written(message: Message, media_type: str) -> bytes:
    """A message in the form the client speaks."""
    if media_type == JSON:
        return json.dumps(json_format.MessageToDict(message)).encode()
    return serialized(message)


def _object(plain: bytes) -> dict[str, Any]:
    """The JSON object of a body: ParseDict iterates over whatever it gets, be it a text or an empty list."""
    document = json.loads(plain)
    if isinstance(document, dict):
        return document
    message = "it is JSON, but no object"
    raise ValueError(message)


def _with_ids(node: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [_with_ids(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: b64encode(bytes.fromhex(value)).decode()
        if key in _IDS and isinstance(value, str)
        else _with_ids(value)
        for key, value in node.items()
    }
