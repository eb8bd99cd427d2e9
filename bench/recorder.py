"""What a contestant records with, and whether what it recorded is what happened."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import sqrt

from loom.contract.metric import Metric
from loom.contract.metrics import telemetry as own
from loom.contract.span import Span
from loom.telemetry import Sampling, Settings, Telemetry
from loom.telemetry.capture import Capture

DEVIATIONS = 6
"""A share of sampled traces further from what was asked for, in standard deviations, is no chance."""


class Recorder:
    """A telemetry that is exported to memory: spans are built and batched as always, only nothing is sent."""

    def __init__(self, ratio: float | None) -> None:
        """Share of the traces that is kept; None for no telemetry, which is what OTEL_SDK_DISABLED makes."""
        self._ratio = ratio
        self._captured: Capture | None = None
        self.telemetry = Telemetry.disabled()
        if ratio is not None:
            self._captured = Capture(Settings(sampling=Sampling(ratio, follow_parent=ratio > 0)))
            self.telemetry = self._captured.telemetry
        self._spans: Counter[tuple[str, str]] = Counter()

    def settle(self) -> None:
        """Wait until the exporter has the spans that ended, and forget them: they would cost others time."""
        if self._captured is None or not self._ratio:
            return
        if pipeline := self.telemetry._pipeline:
            pipeline._batcher.flush(60)
        for span in self._captured._spans.spans:
            scope = span.instrumentation_scope
            self._spans[scope.name if scope else "", span.name] += 1
        self._captured._spans.spans.clear()

    def audit(self, expected: Mapping[Metric, int], spans: tuple[Span, ...], traces: int) -> list[str]:
        """What differs: the metrics' totals, each of the spans once a kept trace, the ledger's balance.

        `traces` is how many traces could have been kept.
        """
        if self._captured is None:
            return []
        self.telemetry.flush(60)
        self.settle()
        return list(self._differences(self._captured, expected, spans, traces))

    def _differences(
        self, captured: Capture, expected: Mapping[Metric, int], spans: tuple[Span, ...], traces: int
    ) -> Iterator[str]:
        for metric, want in expected.items():
            yield from _unless_equal(metric.name, captured.total(metric), want)
        ledger = self.telemetry.ledger
        yield from _unless_equal("spans lost", sum(ledger.lost.values()), 0)
        yield from _unless_equal("spans exported", ledger.exported, ledger.created)
        yield from _unless_equal("spans received", self._spans.total(), ledger.exported)
        yield from _unless_equal(own.SPANS_EXPORTED.name, captured.total(own.SPANS_EXPORTED), ledger.exported)
        kept = [self._spans[span.scope, span.name] for span in spans]
        for span, count in zip(spans, kept, strict=True):
            yield from _unless_equal(f"spans {span.key}", count, kept[0])
        ratio = self._ratio or 0
        off = abs(kept[0] - ratio * traces)
        if off > DEVIATIONS * sqrt(ratio * (1 - ratio) * traces):
            yield f"{kept[0]} of {traces} traces kept at {ratio:g}"

    def close(self) -> None:
        """Stop its thread."""
        self.telemetry.shutdown(60)


def _unless_equal(name: str, got: float, want: float) -> Iterator[str]:
    if got != want:
        yield f"{name}: {got:g} instead of {want:g}"
