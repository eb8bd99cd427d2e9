"""The phase `plan`: the model is asked, calls tools, sees their results, is asked again."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from loom.contract import attributes as a
from loom.runtime.orchestrator.asking import Asking
from loom.runtime.orchestrator.catalogue import Catalogue
from loom.runtime.orchestrator.dialogue import Dialogue, Halt
from loom.runtime.orchestrator.execution import Execution
from loom.runtime.orchestrator.failure import Code
from loom.runtime.orchestrator.instruments import PLAN, Instruments, Watch
from loom.runtime.orchestrator.message import Completion, Message, ToolCall
from loom.runtime.orchestrator.tools import Tool, Tools


class Planning:
    """The loop between model and tools."""

    def __init__(self, asking: Asking, execution: Execution, tools: Tools, instruments: Instruments) -> None:
        """Nothing is asked yet."""
        self._asking = asking
        self._execution = execution
        self._tools = tools
        self._instruments = instruments

    async def plan(self, dialogue: Dialogue) -> None:
        """Ask until the model answers without calling a tool; the draft is that answer.

        Halt when a limit is reached, ModelError when the model fails.
        """
        catalogue = await self._catalogue(dialogue)
        choice = dialogue.options.tool_choice
        while True:
            completion = await self._asking.ask(dialogue, PLAN, catalogue.functions, choice)
            dialogue.accept(completion.text, truncated=completion.truncated)
            # A model that was told of no tools and calls one all the same has only its text heard.
            if not completion.calls or choice == "none":
                _finish(completion, required=choice == "required")
                return
            await self._round(dialogue, catalogue, completion)
            if choice == "required":
                choice = "auto"

    async def _round(self, dialogue: Dialogue, catalogue: Catalogue, completion: Completion) -> None:
        """Execute what one answer asks for, as far as the limits allow."""
        options = dialogue.options
        if dialogue.rounds >= options.max_rounds:
            message = f"the model still called tools after {options.max_rounds} rounds"
            raise Halt(Code.ROUND_LIMIT, message)
        free = options.max_calls - len(dialogue.reports)
        calls = _identify(completion.calls[:free])
        if calls:
            dialogue.rounds += 1
            dialogue.messages.append(Message("assistant", completion.text, calls))
            await self._execution.execute(dialogue, catalogue, calls)
        if len(completion.calls) > free:
            message = f"the model asked for more than {options.max_calls} tool calls"
            raise Halt(Code.CALL_LIMIT, message)

    async def _catalogue(self, dialogue: Dialogue) -> Catalogue:
        options = dialogue.options
        tools = () if options.tool_choice == "none" else await self._discover(dialogue)
        catalogue = Catalogue(tools, options.max_tools)
        dialogue.span.set_attribute(a.TOOLS.name, len(catalogue))
        if options.tool_choice == "required" and not len(catalogue):
            message = "a tool must be called, and there is none"
            raise Halt(Code.NO_TOOLS, message)
        return catalogue

    async def _discover(self, dialogue: Dialogue) -> Sequence[Tool]:
        watch = Watch()
        try:
            async with asyncio.timeout(min(dialogue.options.call_timeout, dialogue.left())):
                return await self._tools.discover()
        except TimeoutError:
            if dialogue.left() <= 0:
                raise dialogue.overdue() from None
            raise Halt(Code.DISCOVERY_TIMEOUT, "the tools were not listed in time") from None
        except Exception as error:  # noqa: BLE001 - whatever it is, the run ends with it
            message = f"listing the tools raised {type(error).__name__}"
            raise Halt(Code.DISCOVERY_FAILED, message, error) from None
        finally:
            self._instruments.discovered(dialogue.span, watch.read())


def _finish(completion: Completion, *, required: bool) -> None:
    """An answer without calls ends the phase, if it may and if it says something."""
    if required:
        message = "a tool must be called, and the model called none"
        raise Halt(Code.NO_TOOL_CALL, message)
    if not completion.text:
        message = "the model answered with neither text nor tool calls"
        raise Halt(Code.MODEL_SILENT, message)


def _identify(calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
    """The calls with ids that pair each with its result: servers send empty ids, and the same one twice."""
    seen: set[str] = set()
    identified = []
    for number, call in enumerate(calls):
        unique = call.id if call.id and call.id not in seen else f"call_{number}_{len(seen)}"
        seen.add(unique)
        identified.append(replace(call, id=unique))
    return tuple(identified)
