"""What the orchestrator counts and times."""

from time import perf_counter_ns
from typing import Any

from loom.contract import attributes as a
from loom.contract.metrics import gen_ai
from loom.contract.metrics import tool_orchestrator as m
from loom.runtime.call import Status
from loom.runtime.orchestrator.answer import CallReport
from loom.runtime.orchestrator.failure import Outcome
from loom.runtime.orchestrator.message import Usage
from loom.runtime.orchestrator.model import ModelClient
from loom.telemetry import AnySpan, Telemetry
from loom.telemetry.tally import Distribution

PLAN, REFINE = a.PHASE.values
(_CHAT,) = a.OPERATION_NAME.values
_INPUT, _OUTPUT = a.TOKEN_TYPE.values
_NO_ERROR = ""
"""The attribute is conditional: a request that worked has none."""


class Watch:
    """Nanoseconds since it was made."""

    __slots__ = ("_started",)

    def __init__(self) -> None:
        """Start now."""
        self._started = perf_counter_ns()

    def read(self) -> int:
        """Whole nanoseconds."""
        return perf_counter_ns() - self._started


class Instruments:
    """The metrics of all runs with one model."""

    def __init__(self, telemetry: Telemetry, model: ModelClient) -> None:
        """Looks every family up once."""
        self._runs = telemetry.counter(m.RUNS)
        self._tool_calls = telemetry.counter(m.TOOL_CALLS)
        self._tool_errors = telemetry.counter(m.TOOL_ERRORS)
        self._refine_cycles = telemetry.counter(m.REFINE_CYCLES).series()
        self._tool_latency = telemetry.histogram(m.TOOL_LATENCY)
        self._discovery_latency = telemetry.histogram(m.DISCOVERY_LATENCY).series()
        self._llm_latency = telemetry.histogram(m.LLM_LATENCY)
        self._tokens = telemetry.histogram(gen_ai.TOKEN_USAGE)
        self._durations = telemetry.histogram(gen_ai.OPERATION_DURATION)
        self._request = (_CHAT, model.provider, model.model)

    def request_attributes(self) -> dict[str, Any]:
        """What is known of a model request before it is made."""
        names = (a.OPERATION_NAME.name, a.PROVIDER_NAME.name, a.REQUEST_MODEL.name)
        return dict(zip(names, self._request, strict=True))

    def discovered(self, span: AnySpan, nanoseconds: int) -> None:
        """The tools of a run were listed, or that failed."""
        _time(self._discovery_latency, nanoseconds, span)

    def requested(self, span: AnySpan, phase: str, nanoseconds: int, error_type: str = _NO_ERROR) -> None:
        """A model request ended."""
        _time(self._llm_latency.series(phase), nanoseconds, span)
        _time(self._durations.series(*self._request, error_type), nanoseconds, span)

    def used(self, span: AnySpan, usage: Usage) -> None:
        """An endpoint reported the tokens of a response."""
        span.set_attribute(a.INPUT_TOKENS.name, usage.input_tokens)
        span.set_attribute(a.OUTPUT_TOKENS.name, usage.output_tokens)
        _time(self._tokens.series(*self._request, _INPUT), usage.input_tokens, span)
        _time(self._tokens.series(*self._request, _OUTPUT), usage.output_tokens, span)

    def called(self, span: AnySpan, report: CallReport, nanoseconds: int) -> None:
        """A tool call ended."""
        self._tool_calls.series(report.tool, report.status).n += 1
        if report.status is not Status.OK:
            self._tool_errors.series(report.tool, report.code).n += 1
        _time(self._tool_latency.series(report.tool), nanoseconds, span)

    def refined(self) -> None:
        """A refine cycle was completed."""
        self._refine_cycles.n += 1

    def ended(self, outcome: Outcome) -> None:
        """A run ended."""
        self._runs.series(outcome).n += 1


def _time(distribution: Distribution, value: int, span: AnySpan) -> None:
    """Count a measurement, with the span as its exemplar when the span is kept."""
    if span.is_recording():
        distribution.add_sampled(value, span.get_span_context())
    else:
        distribution.add(value)
