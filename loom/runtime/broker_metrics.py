"""What the action broker counts."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from loom.contract import attributes as a
from loom.contract.attribute import OVERFLOW_VALUE
from loom.contract.metrics import action_broker as m
from loom.runtime.call import Call, Result, Status
from loom.runtime.capability import Capability
from loom.runtime.code import recorded_code
from loom.telemetry import Telemetry
from loom.telemetry.span import Span
from loom.telemetry.tally import Distribution, Tally

_CALL_ID = a.CALL_ID.name
_CAPABILITY = a.CAPABILITY.name
_TIMEOUT = a.TIMEOUT.name
_VERSION = a.VERSION.name
_CACHE_HIT = a.CACHE_HIT.name
_CALL_STATUS = a.CALL_STATUS.name


@dataclass(slots=True)
class Answer:
    """How one invocation went."""

    result: Result
    version: str
    """Which version served it; what was asked for when none did."""
    hit: bool = False
    """Whether a finished or running call was joined."""
    error: BaseException | None = None
    """What was raised, if anything."""


class CapabilityCounts:
    """The series of a capability that is admitted, each found once: it keeps its name in every label."""

    __slots__ = ("ended", "latency")

    def __init__(self, latency: Distribution) -> None:
        """Invocations have a series for each status that occurred."""
        self.latency = latency
        self.ended: dict[Status, Tally] = {}


class BrokerMetrics:
    """The families of the action broker, and what goes into its `invoke` span."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Make them from the contract."""
        self._invocations = telemetry.counter(m.INVOCATIONS)
        self._registered = telemetry.gauge(m.REGISTERED_CAPABILITIES)
        self._latency = telemetry.histogram(m.INVOKE_LATENCY)
        self._hits = telemetry.counter(m.CACHE_HITS)
        self._timeouts = telemetry.counter(m.TIMEOUTS)
        self._errors = telemetry.counter(m.ERRORS)
        self._budgets = telemetry.families.budgets
        self._counts: dict[str, CapabilityCounts] = {}
        """By capability; only those that were executed, so the budget is also its limit."""

    def register(self, capability: Capability, change: int) -> None:
        """One more capability, or one fewer."""
        self._budgets.admit(a.CAPABILITY, capability.name)
        self._registered.series(capability.provider_type).n += change

    def executed(self, capability: str, elapsed: int, span: Span | None) -> None:
        """A provider took `elapsed` nanoseconds; `span` is that of the caller who started it, if kept."""
        counts = self._counts.get(capability)
        latency = self._find_latency(capability) if counts is None else counts.latency
        if span is None:
            latency.counts[bisect_left(latency.bounds, elapsed)] += 1  # Distribution.add, written out
            latency.total += elapsed
        else:
            latency.add_sampled(elapsed, span.context)

    def answered(self, capability: str, answer: Answer, span: Span | None) -> None:
        """An invocation ended: its one status, and what that means for the other metrics and its span."""
        status = answer.result.status
        counts = self._counts.get(capability)
        ended = None if counts is None else counts.ended.get(status)
        if ended is None:
            ended = self._find_ended(capability, status, counts)
        ended.n += 1
        if span is not None:
            _describe(answer, span)
        if answer.hit or status is not Status.OK:
            self._count_rare(self._label(capability), answer, span)

    def _count_rare(self, label: str, answer: Answer, span: Span | None) -> None:
        """Hits, timeouts and errors."""
        status = answer.result.status
        if answer.hit:
            self._hits.series(label).n += 1
        if status is Status.TIMEOUT:
            self._timeouts.series(label).n += 1
        if status is not Status.OK:
            code = recorded_code(answer.result.error)
            self._errors.series(label, code).n += 1
            if span is not None:
                span.fail(answer.error or code, code)

    def _find_latency(self, capability: str) -> Distribution:
        latency = self._latency.series(capability)
        if self._budgets.knows(a.CAPABILITY, capability):
            self._counts[capability] = CapabilityCounts(latency)
        return latency

    def _find_ended(self, capability: str, status: Status, counts: CapabilityCounts | None) -> Tally:
        ended = self._invocations.series(self._label(capability), status)
        if counts is not None:
            counts.ended[status] = ended
        return ended

    def _label(self, capability: str) -> str:
        """Names that nobody registered take half of the budget at the most: models make them up."""
        if self._budgets.knows(a.CAPABILITY, capability):
            return capability
        if 2 * self._budgets.left(a.CAPABILITY) <= a.CAPABILITY.budget:
            return OVERFLOW_VALUE
        return capability


def describe_call(call: Call) -> dict[str, Any]:
    """What a span says of an invocation before it; never the payload."""
    return {
        _CALL_ID: call.id,
        _CAPABILITY: call.capability,
        _VERSION: call.version,
        _TIMEOUT: call.timeout,
    }


def _describe(answer: Answer, span: Span) -> None:
    span.set_attribute(_VERSION, answer.version)
    span.set_attribute(_CACHE_HIT, answer.hit)
    span.set_attribute(_CALL_STATUS, str(answer.result.status))
