"""What a run returns."""

from dataclasses import dataclass, field

from loom.errors import Problem
from loom.runtime.call import Status
from loom.runtime.orchestrator.failure import Code, Outcome
from loom.runtime.orchestrator.message import Usage


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run was not simply answered."""

    code: Code
    problem: Problem
    """What is wrong and what to do; quotes neither endpoint nor model nor tool."""
    cause: Exception | None = field(default=None, repr=False, compare=False)
    """The exception behind a defect, for whoever debugs it; that one may quote anybody."""

    def __str__(self) -> str:
        """`code: message (hint)`."""
        return f"{self.code}: {self.problem}"


@dataclass(frozen=True, slots=True)
class CallReport:
    """One tool call of a run, without its content."""

    id: str
    tool: str
    """`unknown` for a tool that was not offered."""
    status: Status
    code: str = ""
    """Short code of the error; empty when it is ok."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a run."""

    run_id: str
    outcome: Outcome
    text: str = ""
    """The answer; when the outcome is not `answered`, the last draft there was."""
    failure: Failure | None = None
    """Set exactly when the outcome is not `answered`."""
    rounds: int = 0
    """Answers with tool calls that were executed."""
    calls: tuple[CallReport, ...] = ()
    """In the order in which the model asked for them."""
    usage: Usage = field(default_factory=Usage)
    """Tokens, as far as the endpoint reported them."""
    refined: bool = False
    """Whether the text comes from the refine cycle."""
    truncated: bool = False
    """Whether the endpoint cut the text at its limit of output tokens."""
