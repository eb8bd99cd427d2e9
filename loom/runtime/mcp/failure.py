"""Turns whatever the SDK raises into one error of ours. It is imported late, since it needs the SDK."""

import httpx2
import mcp.types as wire
from anyio import BrokenResourceError, ClosedResourceError
from mcp import MCPError
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from loom.runtime.mcp import http, stdio
from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.evidence import Evidence
from loom.runtime.mcp.fault import ServerError

CLOSED = "Connection closed"
"""The SDK's text for an answer that can never come, as against one that broke off."""

FORGOTTEN = "Session terminated"
"""The SDK's text for a server that does not know our session any more: it was restarted."""

_REFUSALS = {
    wire.INVALID_PARAMS: (Code.INVALID_ARGUMENTS, "refuses the arguments"),
    wire.PARSE_ERROR: (Code.INVALID_RESULT, "answered with something that is no JSON-RPC message"),
    wire.REQUEST_TIMEOUT: (Code.TIMEOUT, "did not answer in time"),
}


def of_connection(error: Exception, config: ServerConfig, evidence: Evidence) -> ServerError:
    """Why a server could not be connected, or why its connection ended."""
    leaf = _leaf(error)
    if isinstance(leaf, ServerError):
        return leaf
    name, place = config.name, config.endpoint.place
    if evidence.garbage:
        return ServerError(
            Code.PROTOCOL_ERROR,
            f"{name}: {place!r} wrote {evidence.garbage} lines to stdout that are no JSON-RPC messages",
        )
    if evidence.http_status >= 400:
        return ServerError(Code.CONNECT_FAILED, f"{name}: {place} answered HTTP {evidence.http_status}")
    if isinstance(leaf, httpx2.TransportError | OSError):
        return ServerError(Code.CONNECT_FAILED, f"{name}: nobody answers at {place} ({_kind(leaf)})")
    if evidence.exit_code is not None and _closed(leaf):
        return ServerError(Code.CONNECT_FAILED, f"{name}: {place!r} {evidence.end} before it answered")
    fault = of_call(leaf, name)
    return ServerError(fault.code, f"{fault.message}, when we connected", fault.detail)


def of_call(error: Exception, server: str) -> ServerError:
    """Why a request failed."""
    error = _leaf(error)
    if isinstance(error, ServerError):
        return error
    if isinstance(error, MCPError):
        return _of_refusal(error, server)
    if isinstance(error, BrokenResourceError | ClosedResourceError):
        return ServerError(Code.CONNECTION_LOST, f"{server} went away during the call")
    if isinstance(error, PydanticSerializationError):
        return ServerError(Code.INVALID_ARGUMENTS, f"the arguments for {server} are no JSON", str(error))
    if isinstance(error, ValidationError | RuntimeError):
        # RuntimeError: what the SDK raises for content that does not fit the output schema.
        return ServerError(
            Code.INVALID_RESULT, f"{server} answered with something that does not fit its schema", str(error)
        )
    return ServerError(Code.PROTOCOL_ERROR, f"the call of {server} failed: {_kind(error)}", str(error))


def _of_refusal(error: MCPError, server: str) -> ServerError:
    text = error.message
    if error.data == stdio.TOO_LARGE or http.TOO_LARGE in text or http.TOO_LARGE_EVENT in text:
        return ServerError(Code.RESULT_TOO_LARGE, f"the answer of {server} was too large")
    if text == FORGOTTEN:
        return ServerError(Code.SERVER_UNAVAILABLE, f"{server} was restarted and does not know us any more")
    if error.code == wire.CONNECTION_CLOSED:
        return ServerError(Code.CONNECTION_LOST, f"{server} went away during the call", text)
    code, reason = _REFUSALS.get(
        error.code, (Code.PROTOCOL_ERROR, f"refused with JSON-RPC error {error.code}")
    )
    return ServerError(code, f"{server} {reason}", text)


def _closed(error: Exception) -> bool:
    return isinstance(error, BrokenResourceError | ClosedResourceError) or (
        isinstance(error, MCPError) and error.code == wire.CONNECTION_CLOSED
    )


def _leaf(error: Exception) -> Exception:
    """The one that matters in a group: ours, else the first."""
    if not isinstance(error, ExceptionGroup):
        return error
    leaves = [_leaf(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, ServerError)), leaves[0])


def _kind(error: BaseException) -> str:
    return type(error).__name__
