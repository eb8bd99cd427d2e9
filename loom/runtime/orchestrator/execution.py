"""Tool calls of one round, at the same time: one `execute_tool` span and one count each."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from loom.contract import attributes as a
from loom.contract.spans import tool_orchestrator as spans
from loom.runtime.call import Status, read_error
from loom.runtime.code import is_code
from loom.runtime.orchestrator import arguments
from loom.runtime.orchestrator.answer import CallReport
from loom.runtime.orchestrator.asking import GRACE
from loom.runtime.orchestrator.catalogue import Catalogue
from loom.runtime.orchestrator.content import Content
from loom.runtime.orchestrator.dialogue import Dialogue
from loom.runtime.orchestrator.failure import Code
from loom.runtime.orchestrator.instruments import Instruments, Watch
from loom.runtime.orchestrator.message import Message, ToolCall
from loom.runtime.orchestrator.tools import Invocation, ToolResult, Tools
from loom.telemetry import Telemetry

_logger = logging.getLogger("loom.tool_orchestrator")

UNKNOWN = "unknown"
"""Stands for every tool that was not offered: what the model wrote is content, and unbounded."""


@dataclass(frozen=True, slots=True)
class _Order:
    """One call to be made."""

    id: str
    tool: str | None
    """None when it was not offered."""
    call: ToolCall


class Execution:
    """Runs what a model asks for."""

    def __init__(
        self, tools: Tools, telemetry: Telemetry, instruments: Instruments, content: Content
    ) -> None:
        """Nothing is called yet."""
        self._tools = tools
        self._telemetry = telemetry
        self._instruments = instruments
        self._content = content

    async def execute(self, dialogue: Dialogue, catalogue: Catalogue, calls: Sequence[ToolCall]) -> None:
        """Call everything, at most `parallelism` at a time; results go into the dialogue in the calls' order.

        Nothing a tool does ends the run: errors are results for the model. Cancelled with the run.
        """
        first = len(dialogue.reports)
        orders = [
            _Order(f"{dialogue.run_id}-{number}", catalogue.name(call.name), call)
            for number, call in enumerate(calls, first + 1)
        ]
        slots = asyncio.Semaphore(dialogue.options.parallelism)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._queue(slots, dialogue, catalogue, order)) for order in orders]
        for task, order in zip(tasks, orders, strict=True):
            report, text = task.result()
            dialogue.reports.append(report)
            dialogue.messages.append(Message("tool", text, call_id=order.call.id))

    async def _queue(
        self, slots: asyncio.Semaphore, dialogue: Dialogue, catalogue: Catalogue, order: _Order
    ) -> tuple[CallReport, str]:
        async with slots:
            return await self._run(dialogue, catalogue, order)

    async def _run(self, dialogue: Dialogue, catalogue: Catalogue, order: _Order) -> tuple[CallReport, str]:
        tool = order.tool or UNKNOWN
        attributes = {
            a.TOOL_NAME.name: tool,
            a.CALL_ID.name: order.id,
            a.CALL_STATUS.name: str(Status.ERROR),  # of a call that nothing else is said of
        }
        with self._telemetry.span(spans.EXECUTE_TOOL, attributes) as span:
            self._content.arguments(span, order.call.arguments)
            watch = Watch()
            try:
                result = await self._judge(dialogue, catalogue, order)
            except asyncio.CancelledError as error:
                report = CallReport(order.id, tool, Status.ERROR, Code.CANCELLED)
                self._instruments.called(span, report, watch.read())
                span.fail(error, report.code)
                raise
            report = CallReport(order.id, tool, result.status, result.code)
            span.set_attribute(a.CALL_STATUS.name, report.status)
            self._instruments.called(span, report, watch.read())
            text = arguments.render(result, dialogue.options.max_result_characters)
            self._content.result(span, text)
            if not result.ok:
                span.fail(report.code, report.code)
        return report, text

    async def _judge(self, dialogue: Dialogue, catalogue: Catalogue, order: _Order) -> ToolResult:
        """Refuse what cannot be called; call the rest."""
        if order.tool is None:
            known = ", ".join(function.alias for function in catalogue.functions)
            message = f"there is no tool {order.call.name}; the tools are: {known}"
            return ToolResult(Status.NOT_FOUND, code=Code.UNKNOWN_TOOL, message=message)
        try:
            parsed = arguments.parse(order.call.arguments)
        except ValueError as error:
            return ToolResult(Status.ERROR, code=Code.MALFORMED_ARGUMENTS, message=str(error))
        timeout = min(dialogue.options.call_timeout, dialogue.left())
        if timeout <= 0:
            return ToolResult(Status.TIMEOUT, code=Code.DEADLINE, message="the time of the run is over")
        return await self._call(Invocation(order.id, order.tool, parsed, timeout))

    async def _call(self, invocation: Invocation) -> ToolResult:
        try:
            async with asyncio.timeout(invocation.timeout + GRACE):
                result = await self._tools.call(invocation)
        except TimeoutError:
            message = f"the tool did not come back within {invocation.timeout:.3g} s"
            return ToolResult(Status.TIMEOUT, code=Code.TOOL_TIMEOUT, message=message)
        except Exception as error:  # noqa: BLE001 - a defect of one tool must not end the run
            # Its text may quote the arguments: the model may read it, logs and spans may not.
            _logger.warning("%s raised %s", invocation.tool, type(error).__name__)
            message = f"{type(error).__name__}: {read_error(error)}"
            return ToolResult(Status.ERROR, code=Code.TOOL_RAISED, message=message)
        return result if result.ok or is_code(result.code) else _coded(result)


def _coded(result: ToolResult) -> ToolResult:
    """An error has a short code: its status, where the tool gave none or a sentence."""
    return ToolResult(result.status, result.output, result.status.upper(), result.message)
