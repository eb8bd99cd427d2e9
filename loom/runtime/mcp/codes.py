"""How things with an MCP server go wrong: a small closed list, with what to do about each.

The broker records the code of a failed call as `error_code` on its metric and its span; the manager's spans
carry the code of a failed connection. Texts of servers never become attributes: only the message has them.
"""

from enum import StrEnum

from loom.runtime.arguments import ADVICE


class Code(StrEnum):
    """Short code of an error."""

    SERVER_UNAVAILABLE = "SERVER_UNAVAILABLE"
    """The server is not connected now; the call was not sent, so that it is safe to repeat."""
    CONNECTION_LOST = "CONNECTION_LOST"
    """The connection ended while the call was on its way; whether the tool ran is unknown."""
    TIMEOUT = "TIMEOUT"
    """No answer within the deadline. A call that ends so has the status `timeout`, anything else `error`."""
    TOOL_ERROR = "TOOL_ERROR"
    """The tool ran and says that it failed (`isError` of the protocol)."""
    INVALID_ARGUMENTS = "INVALID_ARGUMENTS"
    """The arguments do not fit the tool's input schema; found here, or by the server."""
    INVALID_RESULT = "INVALID_RESULT"
    """The server's answer does not fit the protocol or the tool's output schema."""
    RESULT_TOO_LARGE = "RESULT_TOO_LARGE"
    """The server's answer is larger than its limit, and was thrown away."""
    PROTOCOL_ERROR = "PROTOCOL_ERROR"
    """The server refused the request, or does not speak MCP."""
    COMMAND_NOT_FOUND = "COMMAND_NOT_FOUND"
    """The command of a stdio server cannot be started."""
    CONNECT_FAILED = "CONNECT_FAILED"
    """Nobody answers at the URL, or the process ended before it answered."""
    DUPLICATE_TOOL = "DUPLICATE_TOOL"
    """The server lists two tools of one name."""
    DUPLICATE_SERVER = "DUPLICATE_SERVER"
    """A server of that name was added before."""
    UNKNOWN_SERVER = "UNKNOWN_SERVER"
    """There is no server of that name."""
    CLOSED = "CLOSED"
    """The server was removed, or the manager closed, in the meantime."""

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _ADVICE[self]


_ADVICE = {
    Code.SERVER_UNAVAILABLE: "repeat the call later: the manager reconnects by itself",
    Code.CONNECTION_LOST: "repeat the call only if the tool may run twice",
    Code.TIMEOUT: "see whether the server hangs, or raise its timeout",
    Code.TOOL_ERROR: "the tool's own message says what it needs",
    Code.INVALID_ARGUMENTS: ADVICE,
    Code.INVALID_RESULT: "the server is at fault: report it there",
    Code.RESULT_TOO_LARGE: "ask the tool for less, or raise result_bytes of the server",
    Code.PROTOCOL_ERROR: "see whether it is an MCP server and what it logs",
    Code.COMMAND_NOT_FOUND: "install the command, or give its whole path and an existing cwd",
    Code.CONNECT_FAILED: "see whether the server runs, and what it logs",
    Code.DUPLICATE_TOOL: "the server is at fault: MCP asks for unique names",
    Code.DUPLICATE_SERVER: "remove it first, or choose another name",
    Code.UNKNOWN_SERVER: "add it first",
    Code.CLOSED: "add it again if it is still wanted",
}
