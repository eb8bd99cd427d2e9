"""The broker's capabilities as tools."""

from collections.abc import Callable, Sequence

from loom.runtime.broker import ActionBroker
from loom.runtime.call import Call, Result
from loom.runtime.capability import Capability
from loom.runtime.orchestrator.tools import Invocation, Tool, ToolResult
from loom.runtime.version import sort_key

Select = Callable[[Capability], bool]


def _everything(_: Capability) -> bool:
    return True


class BrokerTools:
    """`Tools` over an action broker: what is registered when a run begins, each in its highest version."""

    def __init__(self, broker: ActionBroker, select: Select = _everything) -> None:
        """`select` says which capabilities models may call.

        A capability that starts runs itself, such as `llm.generate`, is best left out.
        """
        self._broker = broker
        self._select = select

    async def discover(self) -> Sequence[Tool]:
        """The capabilities that may be called; their payload is an object of arguments."""
        best: dict[str, Capability] = {}
        for capability in filter(self._select, self._broker.capabilities()):
            known = best.get(capability.name)
            if known is None or sort_key(known.version) < sort_key(capability.version):
                best[capability.name] = capability
        return [Tool(one.name, one.description, one.schema or {}) for one in best.values()]

    async def call(self, invocation: Invocation) -> ToolResult:
        """Invoke the capability; the arguments are the payload.

        With its id the call runs in a task of its own: a tool that cannot be stopped keeps no run waiting.
        Nobody repeats that id, so that the result is not worth keeping.
        """
        call = Call(invocation.tool, dict(invocation.arguments), timeout=invocation.timeout, id=invocation.id)
        try:
            return _translate(await self._broker.invoke(call))
        finally:
            self._broker.forget(call)


def _translate(result: Result) -> ToolResult:
    if result.error is None:
        return ToolResult(result.status, result.output)
    return ToolResult(result.status, result.output, result.error.code, result.error.message)
