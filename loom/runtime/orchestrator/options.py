"""The limits of a run."""

from dataclasses import dataclass, fields
from math import isfinite

from loom.contract import attributes as a
from loom.errors import ConfigurationError, Problem
from loom.runtime.orchestrator.message import ToolChoice


@dataclass(frozen=True, slots=True)
class Options:
    """What a run may do, and for how long. ConfigurationError names every value that makes no sense."""

    tool_choice: ToolChoice = "auto"
    """`required`: the first answer must call a tool; `none`: the model is not told of any."""
    deadline: float = 120.0
    """Seconds a run may take, from its first to its last step."""
    request_timeout: float = 60.0
    """Seconds one model request may take, its retries included."""
    call_timeout: float = 30.0
    """Seconds one tool call may take."""
    max_rounds: int = 8
    """Answers with tool calls that are executed."""
    max_calls: int = 32
    """Tool calls that are executed, over all rounds."""
    max_tokens: int = 100_000
    """Input and output tokens after which no further request is made."""
    max_tools: int = 64
    """Tools the model is told of: the first by name."""
    parallelism: int = 8
    """Tool calls that run at the same time."""
    max_result_characters: int = 16_000
    """How much of a tool's output the model is shown."""
    refine: bool = True
    """Whether the refine cycle follows once tools have been called."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense, all at once."""
        problems = []
        if self.tool_choice not in a.TOOL_CHOICE.values:
            problems.append(_problem("tool_choice", f"must be one of {', '.join(a.TOOL_CHOICE.values)}"))
        for name in _SECONDS:
            value = getattr(self, name)
            if not (isinstance(value, int | float) and isfinite(value) and value > 0):
                problems.append(_problem(name, "must be a number of seconds above 0"))
        for name in _COUNTS:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                problems.append(_problem(name, "must be a whole number above 0"))
        if problems:
            raise ConfigurationError(*problems)


_SECONDS = ("deadline", "request_timeout", "call_timeout")
_COUNTS = tuple(
    field.name for field in fields(Options) if field.name.startswith("max_") or field.name == "parallelism"
)
DEFAULTS = Options()


def _problem(name: str, rule: str) -> Problem:
    return Problem(f"{name} {rule}", path=f"$.orchestrator.{name}")
