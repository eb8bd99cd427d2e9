"""Exemplars: measurements that lead to the trace they were made in."""

from collections.abc import Iterable

from opentelemetry.sdk.metrics import Exemplar

from loom.telemetry.tally import Sample


def exemplars(samples: Iterable[Sample], scale: int) -> list[Exemplar]:
    """OpenTelemetry's exemplars; `scale` is the number of raw units in the metric's unit."""
    return [
        Exemplar(
            filtered_attributes={},
            value=sample.value / scale,
            time_unix_nano=sample.time,
            span_id=sample.span_id,
            trace_id=sample.trace_id,
        )
        for sample in samples
    ]
