"""The orchestrator: a question, tools, a model, and a loop between them.

A run has two phases. `plan`: the model is asked, calls tools, sees the results, is asked again, until it
answers without calling any, or a limit is reached. `refine`: once tools have been called, one more request
without tools lets the model check its draft against the results. If that fails in any way, the draft stands.
"""

import asyncio
import logging
from collections.abc import Sequence
from uuid import uuid4

from loom.contract import attributes as a
from loom.contract.spans import tool_orchestrator as spans
from loom.runtime.orchestrator.answer import Answer
from loom.runtime.orchestrator.asking import Asking
from loom.runtime.orchestrator.content import Content
from loom.runtime.orchestrator.dialogue import Dialogue, Halt
from loom.runtime.orchestrator.execution import Execution
from loom.runtime.orchestrator.failure import Code, ModelError
from loom.runtime.orchestrator.instruments import REFINE, Instruments
from loom.runtime.orchestrator.message import Message
from loom.runtime.orchestrator.model import ModelClient
from loom.runtime.orchestrator.options import DEFAULTS, Options
from loom.runtime.orchestrator.planning import Planning
from loom.runtime.orchestrator.tools import Tools
from loom.telemetry import AnySpan, Telemetry

_logger = logging.getLogger("loom.tool_orchestrator")

_REFINE = (
    "Now write the final answer to the question. Check it against the results of the tools above, "
    "correct what they contradict, and call no tools."
)


class Orchestrator:
    """Runs of one model with one set of tools; any number of them at the same time."""

    def __init__(
        self,
        model: ModelClient,
        tools: Tools,
        telemetry: Telemetry,
        options: Options = DEFAULTS,
        *,
        capture_content: bool = False,
    ) -> None:
        """`capture_content` lets prompts, completions, arguments and results onto spans."""
        content = Content(captured=capture_content)
        self._telemetry = telemetry
        self._options = options
        self._instruments = Instruments(telemetry, model)
        self._asking = Asking(model, telemetry, self._instruments, content)
        execution = Execution(tools, telemetry, self._instruments, content)
        self._planning = Planning(self._asking, execution, tools, self._instruments)

    async def run(self, question: str | Sequence[Message], options: Options | None = None) -> Answer:
        """Answer a question, or continue a conversation, with these options or the orchestrator's.

        Whatever model and tools do, an `Answer` comes back within the deadline and half a second; only
        cancellation leaves as an exception.
        """
        chosen = options or self._options
        run_id = uuid4().hex
        attributes = {
            a.RUN_ID.name: run_id,
            a.TOOL_CHOICE.name: chosen.tool_choice,
            a.TOOLS.name: 0,
            a.RUN_OUTCOME.name: "error",
        }
        with self._telemetry.span(spans.RUN, attributes) as span:
            end = asyncio.get_running_loop().time() + chosen.deadline
            dialogue = Dialogue(run_id, span, chosen, _open(question), end)
            try:
                answer = dialogue.close(await self._work(dialogue))
            except asyncio.CancelledError:
                self._instruments.ended("error")
                raise
            self._conclude(span, answer)
        return answer

    async def _work(self, dialogue: Dialogue) -> Halt | None:
        """Plan, then refine; why it halted, if it did."""
        halted = await self._plan(dialogue)
        code = halted.failure.code if halted else None
        worth = code is None or code is Code.MODEL_SILENT or code.outcome == "tool_limit"
        if worth and dialogue.rounds and dialogue.options.refine:
            await self._refine(dialogue, answered=halted is None)
        return None if code is Code.MODEL_SILENT and dialogue.refined else halted

    async def _plan(self, dialogue: Dialogue) -> Halt | None:
        try:
            await self._planning.plan(dialogue)
        except Halt as halted:
            return halted
        except ModelError as error:
            # A request that is late because the run's time is over is not the model's fault.
            overdue = error.code is Code.MODEL_TIMEOUT and dialogue.left() <= 0
            return dialogue.overdue() if overdue else Halt(error.code, error.message)
        except Exception as error:  # noqa: BLE001 - the caller gets it with the answer
            return Halt(Code.INTERNAL, f"{type(error).__name__} was raised", error)
        return None

    async def _refine(self, dialogue: Dialogue, *, answered: bool) -> None:
        if answered:
            dialogue.messages.append(Message("assistant", dialogue.draft))
        dialogue.messages.append(Message("user", _REFINE))
        try:
            completion = await self._asking.ask(dialogue, REFINE, (), "none")
        except Exception as error:  # noqa: BLE001 - the refine cycle can only improve an answer
            _logger.warning("run %s was not refined: %s", dialogue.run_id, _name(error))
            return
        if completion.text:
            dialogue.accept(completion.text, truncated=completion.truncated)
            dialogue.refined = True
            self._instruments.refined()

    def _conclude(self, span: AnySpan, answer: Answer) -> None:
        self._instruments.ended(answer.outcome)
        span.set_attribute(a.RUN_OUTCOME.name, answer.outcome)
        if answer.failure is not None:
            span.fail(answer.failure.code, answer.failure.code)
            _logger.warning("run %s ended: %s: %s", answer.run_id, answer.outcome, answer.failure)


def _open(question: str | Sequence[Message]) -> list[Message]:
    return [Message("user", question)] if isinstance(question, str) else list(question)


def _name(error: Exception) -> str:
    """What may be logged of an error: a code, or a type."""
    if isinstance(error, Halt):
        return error.failure.code
    return error.code if isinstance(error, ModelError) else type(error).__name__
