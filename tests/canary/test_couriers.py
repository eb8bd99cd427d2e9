"""What is sent is what the contract says, and only the whole of it counts as found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import NumberDataPoint

from loom.canary.letter import Letter
from loom.canary.metric import MetricCourier
from loom.canary.store import Store
from loom.canary.trace import TraceCourier
from loom.contract import canary
from loom.contract.conformity import OK, Value, span_faults, unknown_attributes
from loom.contract.naming import Naming
from loom.contract.resource import INSTANCE, SERVICE_INSTANCE_ID
from loom.telemetry import Settings
from loom.telemetry.capture import MemoryMetrics, MemorySpans
from loom.telemetry.resource import describe

LETTER = Letter(1_760_000_000, "nonce-1")
RESOURCE = describe(Settings(service_name=canary.SERVICE), "1")


class Answers(Store):
    """The fake of a store: always the same answer, and the question kept."""

    def __init__(self, answer: Any = None) -> None:  # noqa: ANN401 - JSON
        """404 unless there is an answer."""
        super().__init__("http://nowhere")
        self.answer = answer
        self.asked: tuple[str, Mapping[str, str]] = ("", {})

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        self.asked = path, parameters or {}
        return self.answer


@dataclass(frozen=True)
class Seen:
    """A span as it was exported."""

    kind: str
    status: str
    attributes: Mapping[str, Value]


def sent(store: Store) -> tuple[TraceCourier, list[Any]]:
    exporter = MemorySpans()
    courier = TraceCourier(exporter, RESOURCE, store)
    assert courier.send(LETTER)
    return courier, exporter.spans


def answer(spans: list[Any]) -> dict[str, Any]:
    """As Jaeger tells it."""
    return {"data": [{"spans": [told(span) for span in spans]}]}


def told(span: Any) -> dict[str, Any]:  # noqa: ANN401 - a view of a span
    above = [{"refType": "CHILD_OF", "spanID": f"{span.parent.span_id:016x}"}] if span.parent else []
    return {
        "spanID": f"{span.context.span_id:016x}",
        "references": above,
        "tags": [{"key": name, "value": value} for name, value in span.attributes.items()],
    }


def test_the_spans_are_the_contracts_and_every_sampler_can_tell_them() -> None:
    _, spans = sent(Answers())
    for span, definition in zip(spans, (canary.ECHO, canary.ROUND), strict=True):
        seen = Seen(span.kind.name.lower(), OK, dict(span.attributes))
        assert (span.name, span.instrumentation_scope.name) == (definition.name, definition.scope)
        assert list(span_faults(definition, seen)) == unknown_attributes(definition, seen) == []
        assert span.attributes[canary.CANARY.name] is True
        assert span.context.trace_flags.sampled
    assert spans[0].parent.span_id == spans[1].context.span_id


def test_a_trace_is_found_when_both_spans_are_there_in_their_order() -> None:
    store = Answers()
    courier, spans = sent(store)
    assert not courier.find(LETTER)
    store.answer = answer(spans)
    assert courier.find(LETTER)
    assert store.asked[0].endswith(f"{spans[0].context.trace_id:032x}")


@pytest.mark.parametrize("fault", ["half", "other nonce", "orphan", "nothing"])
def test_a_trace_that_is_not_whole_is_not_found(fault: str) -> None:
    store = Answers()
    courier, spans = sent(store)
    store.answer = answer(spans)
    found = store.answer["data"][0]["spans"]
    match fault:
        case "half":
            del found[1]
        case "other nonce":
            found[1]["tags"][1]["value"] = "another"
        case "orphan":
            found[0]["references"] = []
        case "nothing":
            store.answer = {"data": None}
    assert not courier.find(LETTER)


def test_the_point_is_the_contracts_and_is_asked_for_by_its_process_and_its_number() -> None:
    store, exporter = Answers({"data": {"result": []}}), MemoryMetrics()
    courier = MetricCourier(exporter, RESOURCE, store, Naming().series(canary.SENT))
    assert courier.send(LETTER)
    metric = exporter.latest[canary.SENT.scope, canary.SENT.name]
    point = metric.data.data_points[0]
    assert isinstance(point, NumberDataPoint)
    assert (metric.unit, point.value, dict(point.attributes or {})) == (canary.SENT.unit, LETTER.number, {})
    assert not courier.find(LETTER)
    instance = str(RESOURCE.attributes[SERVICE_INSTANCE_ID.name])
    query = f'{Naming().base(canary.SENT)}{{{INSTANCE}="{instance}"}} >= {LETTER.number}'
    assert store.asked == ("/api/v1/query", {"query": query})
    store.answer = {"data": {"result": [{"value": [0, "1"]}]}}
    assert courier.find(LETTER)
