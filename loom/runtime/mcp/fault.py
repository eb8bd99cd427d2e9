"""What goes wrong between us and an MCP server, as an exception."""

from loom.errors import LoomRuntimeError, Problem
from loom.runtime.mcp.codes import Code


class ServerError(LoomRuntimeError):
    """A server could not be connected, a call failed, or the manager was asked for something impossible.

    Its text may become part of a span: it never holds arguments, results, secrets, or what a server wrote.
    """

    def __init__(self, code: Code, message: str, detail: str = "") -> None:
        """`detail` is the server's own text: for the caller and the log, never for telemetry."""
        super().__init__(Problem(message, hint=code.advice))
        self.code = code
        self.message = message
        self.detail = detail
