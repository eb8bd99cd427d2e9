"""How things go wrong between a question and its answer: a closed list, with what to do about each.

No text of an endpoint, a model or a tool is ever part of a `ModelError`: it goes onto spans and into logs.
"""

from enum import StrEnum
from typing import Literal

from loom.contract.environment import MODEL, MODEL_API_KEY, MODEL_BASE_URL
from loom.errors import LoomRuntimeError, Problem

Outcome = Literal["answered", "tool_limit", "error", "timeout"]


class Code(StrEnum):
    """`error_code` of runs and tool calls, `error.type` of model requests."""

    MODEL_UNREACHABLE = "MODEL_UNREACHABLE"
    """Nobody listens at the endpoint, or the connection broke, at the last attempt too."""
    MODEL_TIMEOUT = "MODEL_TIMEOUT"
    """The endpoint did not answer in time, its retries included."""
    MODEL_RATE_LIMITED = "MODEL_RATE_LIMITED"
    """The endpoint answered 429, to the last attempt too."""
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    """The endpoint answered 5xx, 408 or 409, to the last attempt too."""
    MODEL_UNAUTHORIZED = "MODEL_UNAUTHORIZED"
    """The endpoint answered 401 or 403."""
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    """The endpoint answered 404."""
    MODEL_REFUSED = "MODEL_REFUSED"
    """The endpoint answered any other 4xx: it does not take the request."""
    MODEL_MALFORMED = "MODEL_MALFORMED"
    """The response is not JSON, or not a chat completion."""
    MODEL_SILENT = "MODEL_SILENT"
    """The answer has neither text nor tool calls."""
    NO_TOOLS = "NO_TOOLS"
    """`tool_choice` is required and there is no tool."""
    NO_TOOL_CALL = "NO_TOOL_CALL"
    """`tool_choice` is required and the model called none."""
    DISCOVERY_FAILED = "DISCOVERY_FAILED"
    """Listing the tools raised."""
    DISCOVERY_TIMEOUT = "DISCOVERY_TIMEOUT"
    """The tools were not listed in time."""
    DEADLINE = "DEADLINE"
    """The run's time is over."""
    ROUND_LIMIT = "ROUND_LIMIT"
    """The model called tools once more after the last round."""
    CALL_LIMIT = "CALL_LIMIT"
    """The model asked for more calls than the run may make."""
    TOKEN_LIMIT = "TOKEN_LIMIT"  # noqa: S105 - not a password
    """The run's tokens are spent."""
    CANCELLED = "CANCELLED"
    """Whoever awaited the run gave up."""
    INTERNAL = "INTERNAL"
    """A defect: an exception that nobody foresaw."""
    UNKNOWN_TOOL = "UNKNOWN_TOOL"
    """The model called a tool that was not offered."""
    MALFORMED_ARGUMENTS = "MALFORMED_ARGUMENTS"
    """The arguments are no JSON object."""
    TOOL_TIMEOUT = "TOOL_TIMEOUT"
    """The tool ignored its timeout, and was cancelled."""
    TOOL_RAISED = "TOOL_RAISED"
    """The tools' side raised instead of returning an error."""

    @property
    def outcome(self) -> Outcome:
        """How a run ends that is stopped by it."""
        return _OUTCOMES.get(self, "error")

    @property
    def advice(self) -> str:
        """What to do about it; empty for what only models are told."""
        return _ADVICE.get(self, "")


_OUTCOMES: dict[Code, Outcome] = {
    Code.MODEL_TIMEOUT: "timeout",
    Code.DISCOVERY_TIMEOUT: "timeout",
    Code.DEADLINE: "timeout",
    Code.ROUND_LIMIT: "tool_limit",
    Code.CALL_LIMIT: "tool_limit",
    Code.TOKEN_LIMIT: "tool_limit",
}
_ADVICE = {
    Code.MODEL_UNREACHABLE: f"start the model server, or correct {MODEL_BASE_URL.name}",
    Code.MODEL_TIMEOUT: "raise request_timeout, or use a faster model",
    Code.MODEL_RATE_LIMITED: "start fewer runs, or raise the limit of your account",
    Code.MODEL_UNAVAILABLE: "read the log of the model server, and try again later",
    Code.MODEL_UNAUTHORIZED: f"set {MODEL_API_KEY.name} to a key that is valid there",
    Code.MODEL_NOT_FOUND: (
        f"{MODEL.name} must name a model of that server, and {MODEL_BASE_URL.name} end with its version: /v1"
    ),
    Code.MODEL_REFUSED: "read the log of the model server: it does not take this request",
    Code.MODEL_MALFORMED: f"check that {MODEL_BASE_URL.name} is an OpenAI-compatible endpoint",
    Code.MODEL_SILENT: "raise the model server's limit of output tokens",
    Code.NO_TOOLS: "register a capability, or let tool_choice be auto",
    Code.NO_TOOL_CALL: "use a model that follows tool_choice, or let it be auto",
    Code.DISCOVERY_FAILED: "look at failure.cause: whoever lists the tools is at fault",
    Code.DISCOVERY_TIMEOUT: "look at whoever lists the tools",
    Code.DEADLINE: "raise the deadline, or use faster tools or a faster model",
    Code.ROUND_LIMIT: "raise max_rounds, or ask for less at once",
    Code.CALL_LIMIT: "raise max_calls, or ask for less at once",
    Code.TOKEN_LIMIT: "raise max_tokens, or ask for less at once",
    Code.INTERNAL: "look at failure.cause, and report it",
}


class ModelError(LoomRuntimeError):
    """A model request that failed for good."""

    def __init__(self, code: Code, message: str) -> None:
        """Nothing that the endpoint sent may be in `message`."""
        super().__init__(Problem(message, hint=code.advice))
        self.code = code
        self.message = message

    def bare(self) -> "ModelError":
        """The same without trace and causes, which may quote somebody."""
        return ModelError(self.code, self.message)


class TransientError(ModelError):
    """A failure that may pass: worth another attempt."""

    def __init__(self, code: Code, message: str, after: float = 0.0) -> None:
        """`after`: seconds the endpoint asks to wait; 0 when it does not say."""
        super().__init__(code, message)
        self.after = after


def late(within: float) -> ModelError:
    """A request took all of its `within` seconds."""
    return ModelError(Code.MODEL_TIMEOUT, f"the model did not answer within {within:.3g} s")
