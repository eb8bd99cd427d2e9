"""The action broker: call a capability by name, whoever serves it."""

import asyncio
import logging
from dataclasses import dataclass
from itertools import count
from threading import get_ident
from time import perf_counter_ns
from typing import Self

from loom.contract import attributes as a
from loom.contract.spans import action_broker as spans
from loom.errors import LoomRuntimeError, Problem
from loom.runtime.arguments import guard
from loom.runtime.broker_metrics import Answer, BrokerMetrics, describe_call
from loom.runtime.cache import ResultCache
from loom.runtime.call import Call, ErrorCode, Result, Status, read_error
from loom.runtime.capability import Capability, Provider
from loom.runtime.catalogue import Catalogue, Registration
from loom.runtime.crew import Crew
from loom.runtime.deadlines import Deadlines
from loom.runtime.execution import Execution
from loom.runtime.verdict import GIVEN_UP, give_up, judge
from loom.telemetry import Telemetry
from loom.telemetry.current import get_current
from loom.telemetry.span import Span

logger = logging.getLogger("loom.action_broker")


@dataclass(frozen=True, slots=True)
class BrokerLimits:
    """What a broker remembers, and how long it waits for providers that it stops."""

    results: int = 1024
    """Successful results that are kept for repeated calls."""
    result_seconds: float = 300.0
    """How long each is kept."""
    stop_seconds: float = 5.0
    """How long a provider may clean up when the broker is left; then it is stopped again, or left behind."""


LIMITS = BrokerLimits()

PATIENCE = 32
"""Calls in their callers' tasks after which others get a turn: callers that repeat what never waits, or fails
at once, must not keep the event loop to themselves."""


class ActionBroker:
    """Enter it to use it: it runs providers in tasks of its own, and stops them when it is left.

    It belongs to the event loop that entered it. Every invocation returns a `Result`, also when it fails.
    """

    def __init__(self, telemetry: Telemetry, limits: BrokerLimits = LIMITS) -> None:
        """Nothing is registered yet; registering is possible before entering."""
        self._telemetry = telemetry
        self._metrics = BrokerMetrics(telemetry)
        self._catalogue = Catalogue()
        self._cache = ResultCache(limits.results, limits.result_seconds)
        self._unsampled = telemetry.tracing.unsampled
        self._measured = telemetry.enabled
        self._deadlines: Deadlines
        self._turns = count(1)
        self._running: dict[tuple[str, str], Execution] = {}
        """What callers of the same id can join."""
        self._executions: set[Execution] = set()
        """These, and those that are being stopped, in whose place another may run."""
        self._crew = Crew(logger)
        self._patience = limits.stop_seconds
        self._thread = 0
        self._closed = False

    def register(self, capability: Capability, provider: Provider) -> None:
        """Offer a capability; the same name and version again replaces its provider.

        With a schema, calls that do not fit it end with INVALID_ARGUMENTS. LoomRuntimeError when the broker
        is closed, or the schema is none.
        """
        if self._closed:
            raise LoomRuntimeError(Problem("the broker is closed"))
        with self._telemetry.span(spans.REGISTER_PROVIDER, _describe(capability)):
            before = self._catalogue.add(Registration(capability, guard(capability, provider)))
            if before is not None:
                self._metrics.register(before.capability, -1)
            self._metrics.register(capability, +1)

    def unregister(self, name: str, version: str = "") -> int:
        """Take back one version, or all of them; how many there were. Calls that run are not disturbed."""
        removed = self._catalogue.remove(name, version)
        for registration in removed:
            self._metrics.register(registration.capability, -1)
        return len(removed)

    def capabilities(self) -> list[Capability]:
        """Everything that can be called now."""
        return self._catalogue.capabilities()

    async def invoke(self, call: Call) -> Result:
        """Call a capability and wait for how it ends, at most `call.timeout` seconds.

        A call with an id that is repeated joins the one that runs, or gets its result if that was successful;
        a caller that is cancelled leaves it to those who also wait for it.

        A call without an id runs in the caller's own task: its provider is cancelled at the deadline and with
        the caller. One that does not let itself be cancelled keeps that caller waiting; what it returns then
        is too late. LoomRuntimeError in any other thread.
        """
        if get_ident() != self._thread:
            self._refuse_thread()
        if not self._measured or (context := get_current()) is self._unsampled:
            return await self._attend(call, None)
        with self._telemetry.span(spans.INVOKE, describe_call(call), context) as span:
            return await self._attend(call, span if isinstance(span, Span) else None)

    def forget(self, call: Call) -> None:
        """Keep no result of a call that nobody is going to repeat."""
        self._cache.drop((call.capability, call.id))

    async def __aenter__(self) -> Self:
        """Belong to this event loop."""
        self._deadlines = Deadlines(asyncio.get_running_loop())
        await self._crew.__aenter__()
        self._thread = get_ident()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take back every capability, stop what runs; a provider that resists is left behind and logged."""
        self._closed = True
        for capability in self.capabilities():
            self.unregister(capability.name, capability.version)
        for execution in list(self._executions):
            execution.abort(ErrorCode.CLOSED)
        inline = self._deadlines.close(asyncio.current_task(), self._patience, logger)
        try:
            await asyncio.gather(inline, self._crew.dismiss())
        finally:
            await self._crew.__aexit__()

    async def _attend(self, call: Call, span: Span | None) -> Result:
        """Answer, and count how that went whatever happens."""
        answer = Answer(GIVEN_UP, call.version)
        try:
            if call.repeatable:
                await self._share(call, answer, span)
            elif (registration := self._find(call, answer)) is not None:
                await self._run(registration, call, answer, span)
        except asyncio.CancelledError as error:
            answer.error = error
            raise
        finally:
            self._metrics.answered(call.capability, answer, span)
        return answer.result

    async def _run(self, registration: Registration, call: Call, answer: Answer, span: Span | None) -> None:
        """Fill in the answer from a provider that runs in this task: nobody else waits for it."""
        answer.version = registration.capability.version
        deadline = self._deadlines.begin(call.timeout)
        started = perf_counter_ns()
        result: Result | None = None
        try:
            if next(self._turns) % PATIENCE == 0:
                await asyncio.sleep(0)
            output = await registration.provider(call)
            result = output if isinstance(output, Result) else Result(Status.OK, output)
        except asyncio.CancelledError as error:
            answer.error = error
        except Exception as error:  # noqa: BLE001 - whatever a provider raises is the call's result
            answer.error = error
            result = Result.failed(ErrorCode.CAPABILITY_ERROR, read_error(error))
        finally:
            self._metrics.executed(call.capability, perf_counter_ns() - started, span)
            withdrawn = self._deadlines.end(deadline)
        if withdrawn:
            await give_up(answer.error)
        if result is None or deadline.stopped is not None:
            result = judge(result, answer, deadline.stopped)
        answer.result = result

    async def _share(self, call: Call, answer: Answer, span: Span | None) -> None:
        """Fill in the answer: from the cache, from a call that runs, or from a new one."""
        key = (call.capability, call.id)
        if cached := self._cache.get(key):
            answer.version, answer.result = cached
            answer.hit = True
            return
        execution = self._running.get(key)
        if execution is not None and not execution.joinable:
            execution = None  # it ends without a result for anybody: this caller's call is a new one
        answer.hit = execution is not None
        if execution is None:
            execution = self._start(call, answer, span)
            if execution is None:
                return
        answer.version = execution.version
        result = await execution.join(call.timeout)
        answer.error = execution.error
        answer.result = result or Result.failed(ErrorCode.TIMEOUT, status=Status.TIMEOUT)

    def _start(self, call: Call, answer: Answer, span: Span | None) -> Execution | None:
        """A new execution in a task of its own; without one the answer says why."""
        registration = self._find(call, answer)
        if registration is None:
            return None
        execution = Execution(registration, call, lambda done: self._finish(done, span))
        self._running[call.capability, call.id] = execution
        self._executions.add(execution)
        execution.start(self._crew, self._patience)
        return execution

    def _find(self, call: Call, answer: Answer) -> Registration | None:
        """What serves a call; without it the answer says why."""
        if self._closed:
            answer.result = Result.failed(ErrorCode.CLOSED, "the broker is closed")
            return None
        registration = self._catalogue.find(call.capability, call.version)
        if registration is None:
            message = self._catalogue.explain(call.capability, call.version)
            answer.result = Result.failed(ErrorCode.NOT_FOUND, message, status=Status.NOT_FOUND)
        return registration

    def _finish(self, execution: Execution, span: Span | None) -> None:
        call = execution.call
        key = (call.capability, call.id)
        self._executions.discard(execution)
        if self._running.get(key) is execution:
            del self._running[key]
        self._metrics.executed(call.capability, execution.elapsed, span)
        if call.repeatable and execution.result is not None:
            self._cache.put(key, execution.version, execution.result)

    def _refuse_thread(self) -> None:
        if self._thread:
            raise LoomRuntimeError(
                Problem(
                    "the broker belongs to another thread",
                    hint="use asyncio.run_coroutine_threadsafe with its event loop",
                )
            )
        raise LoomRuntimeError(Problem("the broker was not entered", hint="use `async with`"))


def _describe(capability: Capability) -> dict[str, str]:
    return {
        a.CAPABILITY.name: capability.name,
        a.VERSION.name: capability.version,
        a.PROVIDER_TYPE.name: capability.provider_type.value,
    }
