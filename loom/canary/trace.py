"""Spans, on their way to Jaeger."""

from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExporter

from loom.canary.letter import Letter
from loom.canary.store import Store
from loom.contract import canary
from loom.telemetry import Sampling
from loom.telemetry.readable import sender
from loom.telemetry.span import Span
from loom.telemetry.tracing import Tracing


class TraceCourier:
    """Sends two spans, one below the other, and finds both again, in the right order and with their nonce."""

    signal = "traces"

    def __init__(self, exporter: SpanExporter, resource: Resource, store: Store) -> None:
        """`store` is Jaeger."""
        self._exporter = exporter
        self._export = sender(exporter, resource)
        self._store = store
        self._sent: list[Span] = []

    def send(self, letter: Letter) -> bool:
        """See `Courier.send`."""
        self._store.renew()
        self._sent = _record(letter)
        return self._export(self._sent)

    def find(self, letter: Letter) -> bool:
        """See `Courier.find`."""
        echo, _ = self._sent  # the inner one ends first
        answer = self._store.get(f"/api/traces/{echo.context.trace_id:032x}")
        traces = (answer or {}).get("data") or ()
        seen = {span["spanID"]: span for trace in traces for span in trace["spans"]}
        return all(_is_whole(seen.get(_id(span.context.span_id)), span, letter) for span in self._sent)

    def close(self) -> None:
        """See `Courier.close`."""
        self._exporter.shutdown()
        self._store.renew()


def _record(letter: Letter) -> list[Span]:
    ended: list[Span] = []
    tracing = Tracing(Sampling(follow_parent=False), ended.append)
    attributes = {canary.CANARY.name: True, canary.NONCE.name: letter.nonce}
    with tracing.scope(canary.ROUND, dict(attributes)), tracing.scope(canary.ECHO, dict(attributes)):
        pass
    return ended


def _is_whole(seen: dict[str, Any] | None, span: Span, letter: Letter) -> bool:
    if seen is None:
        return False
    tags = {tag["key"]: tag["value"] for tag in seen["tags"]}
    above = [reference["spanID"] for reference in seen["references"] or ()]
    wanted = [_id(span.parent.span_id)] if span.parent else []
    return tags.get(canary.NONCE.name) == letter.nonce and above == wanted


def _id(span_id: int) -> str:
    return f"{span_id:016x}"
