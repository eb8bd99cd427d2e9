"""Model requests: one `chat` span and one measurement each, whatever becomes of them."""

import asyncio
from collections.abc import Sequence

from loom.contract.spans import tool_orchestrator as spans
from loom.runtime.orchestrator.content import Content
from loom.runtime.orchestrator.dialogue import Dialogue
from loom.runtime.orchestrator.failure import Code, ModelError, late
from loom.runtime.orchestrator.instruments import Instruments, Watch
from loom.runtime.orchestrator.message import Completion, Function, ToolChoice
from loom.runtime.orchestrator.model import ModelClient
from loom.telemetry import AnySpan, Telemetry

GRACE = 0.5
"""Seconds a model client or a tool may be late before it is cancelled: it should end by itself."""


class Asking:
    """Asks one model."""

    def __init__(
        self, model: ModelClient, telemetry: Telemetry, instruments: Instruments, content: Content
    ) -> None:
        """Nothing is sent yet."""
        self._model = model
        self._telemetry = telemetry
        self._instruments = instruments
        self._content = content

    async def ask(
        self, dialogue: Dialogue, phase: str, tools: Sequence[Function], choice: ToolChoice
    ) -> Completion:
        """The model's answer to everything said so far.

        ModelError when there is none; Halt when neither time nor tokens are left for a request.
        """
        dialogue.check()
        with self._telemetry.span(spans.CHAT, self._instruments.request_attributes()) as span:
            self._content.prompt(span, dialogue.messages)
            watch = Watch()
            try:
                result = await self._try(dialogue, tools, choice)
            except asyncio.CancelledError:
                self._instruments.requested(span, phase, watch.read(), Code.CANCELLED)
                raise
            if isinstance(result, Completion):
                self._instruments.requested(span, phase, watch.read())
                self._accept(dialogue, span, result)
            else:
                self._instruments.requested(span, phase, watch.read(), _fail(span, result))
        # Raised behind the span: an exception that leaves its block is recorded with its whole text.
        if isinstance(result, Exception):
            raise result
        return result

    async def _try(
        self, dialogue: Dialogue, tools: Sequence[Function], choice: ToolChoice
    ) -> Completion | Exception:
        within = min(dialogue.options.request_timeout, dialogue.left())
        try:
            async with asyncio.timeout(within + GRACE):
                return await self._model.complete(tuple(dialogue.messages), tools, choice, within)
        except TimeoutError:
            return late(within)
        except Exception as error:  # noqa: BLE001 - returned, and raised behind the span
            return error

    def _accept(self, dialogue: Dialogue, span: AnySpan, completion: Completion) -> None:
        dialogue.account(completion)
        if completion.usage is not None:
            self._instruments.used(span, completion.usage)
        self._content.completion(span, completion)


def _fail(span: AnySpan, error: Exception) -> str:
    """End the span as failed; the error type.

    Only our own errors promise to quote nobody; of others, and of causes, the text stays away from the span.
    """
    if not isinstance(error, ModelError):
        span.fail(type(error).__qualname__, Code.INTERNAL)
        return type(error).__qualname__
    span.record_exception(error.bare())
    span.fail(error.code, error.code)
    return error.code
