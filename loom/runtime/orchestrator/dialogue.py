"""The state of one run."""

import asyncio
from dataclasses import dataclass, field

from loom.errors import Problem
from loom.runtime.orchestrator.answer import Answer, CallReport, Failure
from loom.runtime.orchestrator.failure import Code
from loom.runtime.orchestrator.message import Completion, Message, Usage
from loom.runtime.orchestrator.options import Options
from loom.telemetry import AnySpan

_CHARACTERS_A_TOKEN = 4
"""The usual estimate, for endpoints that do not report usage: it only serves the limit, no metric."""


class Halt(Exception):  # noqa: N818 - it ends a loop, and is never seen outside
    """The run cannot go on; the code says how it ends."""

    def __init__(self, code: Code, message: str, cause: Exception | None = None) -> None:
        """Nothing of an endpoint, model or tool may be in `message`; the cause may quote anybody."""
        super().__init__(code)
        self.failure = Failure(code, Problem(message, hint=code.advice), cause)


@dataclass(slots=True)
class Dialogue:
    """What has been said and done so far. One task owns it."""

    run_id: str
    span: AnySpan
    options: Options
    messages: list[Message]
    end: float
    """When the run's time is over, on the event loop's clock."""
    draft: str = ""
    refined: bool = False
    truncated: bool = False
    rounds: int = 0
    reports: list[CallReport] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    tokens: int = 0
    """Input and output, estimated where the endpoint does not report them."""

    def left(self) -> float:
        """Seconds until the deadline; may be negative."""
        return self.end - asyncio.get_running_loop().time()

    def check(self) -> None:
        """Halt when there is no time or no token for another request."""
        if self.left() <= 0:
            raise self.overdue()
        if self.tokens >= self.options.max_tokens:
            message = f"the run used {self.tokens} of its {self.options.max_tokens} tokens"
            raise Halt(Code.TOKEN_LIMIT, message)

    def overdue(self) -> Halt:
        """The run's time is over."""
        return Halt(Code.DEADLINE, f"the run did not end within {self.options.deadline:.3g} s")

    def account(self, completion: Completion) -> None:
        """Count the tokens of a response."""
        if completion.usage is not None:
            self.usage += completion.usage
            self.tokens += completion.usage.total
            return
        spoken = sum(len(message.text) for message in self.messages) + len(completion.text)
        self.tokens += spoken // _CHARACTERS_A_TOKEN

    def accept(self, text: str, *, truncated: bool) -> None:
        """Take a text as the answer so far; silence leaves the one before."""
        if text:
            self.draft = text
            self.truncated = truncated

    def close(self, halted: Halt | None) -> Answer:
        """The answer."""
        return Answer(
            run_id=self.run_id,
            outcome=halted.failure.code.outcome if halted else "answered",
            text=self.draft,
            failure=halted.failure if halted else None,
            rounds=self.rounds,
            calls=tuple(self.reports),
            usage=self.usage,
            refined=self.refined,
            truncated=self.truncated,
        )
