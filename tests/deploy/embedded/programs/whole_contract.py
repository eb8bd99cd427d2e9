"""A program without Loom's runtime: it emits the whole contract with OpenTelemetry's own SDK.

Metrics and spans whose names are given are left out; `--also NAME` adds a metric of Loom's scope.
"""

import argparse
import sys

from opentelemetry import metrics as api
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

from loom.contract import metrics, resource, scopes, spans
from loom.contract.coverage import TROUBLE, reachable
from loom.contract.metric import Kind, Metric

SAMPLES: dict[str, str | int | float | bool] = {"string": "x", "int": 1, "double": 0.5, "boolean": True}


def measure(meter: api.Meter, metric: Metric) -> None:
    """Record one metric, once with each value that a healthy run can show."""
    values = [reachable(attribute) or attribute.values or ("x",) for attribute in metric.attributes]
    rows = [
        {
            attribute.name: each[index % len(each)]
            for attribute, each in zip(metric.attributes, values, strict=True)
        }
        for index in range(max(map(len, values), default=1))
    ]
    name, unit = metric.name, metric.unit
    if metric.kind is Kind.OBSERVABLE_GAUGE:
        meter.create_observable_gauge(name, [lambda _: [api.Observation(1, row) for row in rows]], unit)
        return
    for row in rows:
        if metric.kind is Kind.COUNTER:
            meter.create_counter(name, unit).add(0 if metric in TROUBLE else 1, row)
        elif metric.kind is Kind.UP_DOWN_COUNTER:
            meter.create_up_down_counter(name, unit).add(1, row)
        elif metric.kind is Kind.GAUGE:
            meter.create_gauge(name, unit).set(1, row)
        else:
            bounds = list(metric.boundaries)
            meter.create_histogram(name, unit, explicit_bucket_boundaries_advisory=bounds).record(0.1, row)


def trace_all(tracing: TracerProvider, left_out: set[str]) -> None:
    """One span of each kind, below a parent that it may have."""
    made: dict[str, trace.Span] = {}
    for span in spans.ALL:
        parent = made.get(span.parents[0]) if span.parents else None
        context = trace.set_span_in_context(parent) if parent else None
        attributes = {
            attribute.name: attribute.values[0] if attribute.values else SAMPLES[attribute.type]
            for attribute in span.attributes
        }
        made[span.key] = tracing.get_tracer(span.scope).start_span(
            f"{span.name} x" if span.suffix else span.name,
            context,
            trace.SpanKind[span.kind.upper()],
            attributes,
        )
    for key, one in made.items():
        one.set_status(Status(StatusCode.OK))
        if key not in left_out:
            one.end()


def main() -> int:
    """Emit it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("left_out", nargs="*")
    parser.add_argument("--also", default="")
    options = parser.parse_args()
    described = Resource({attribute.name: "x" for attribute in resource.ALL})
    metering = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], described)
    tracing = TracerProvider(resource=described)
    tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    for metric in metrics.ALL:
        if metric.name not in options.left_out:
            measure(metering.get_meter(metric.scope), metric)
    if options.also:
        metering.get_meter(scopes.EVENT_BUS).create_counter(options.also).add(1)
    trace_all(tracing, set(options.left_out))
    tracing.shutdown()
    metering.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
