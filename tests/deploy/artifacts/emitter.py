"""Records every metric of the contract and some spans with the plain OpenTelemetry SDK, then ends.

Arguments: `name=value` resource attributes besides the service's; nothing of Loom's own runtime takes part.
"""

import os
import sys

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from loom.contract.metric import Kind, Metric
from loom.contract.metrics import ALL


def record(meter: Meter, metric: Metric) -> None:
    """One measurement with a value for every attribute."""
    labels = {item.name: item.values[0] if item.values else "x" for item in metric.attributes}
    about = (metric.name, metric.unit, metric.description)
    if metric.kind is Kind.COUNTER:
        meter.create_counter(*about).add(1, labels)
    elif metric.kind is Kind.UP_DOWN_COUNTER:
        meter.create_up_down_counter(*about).add(1, labels)
    elif metric.kind is Kind.GAUGE:
        meter.create_gauge(*about).set(1, labels)
    elif metric.kind is Kind.OBSERVABLE_GAUGE:
        name, unit, description = about
        meter.create_observable_gauge(name, [lambda _: [Observation(1, labels)]], unit, description)
    else:
        boundaries = list(metric.boundaries)
        histogram = meter.create_histogram(*about, explicit_bucket_boundaries_advisory=boundaries)
        histogram.record(0.5, labels)


def main() -> None:
    """Record, flush, end."""
    endpoint = os.environ["ENDPOINT"]
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    resource = Resource({"service.name": "probe", "service.instance.id": "probe-1", **given})
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint, insecure=True), 60_000)
    meters = MeterProvider([reader], resource)
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, insecure=True)))
    tracer = tracers.get_tracer("probe")
    with tracer.start_as_current_span("probe"), tracer.start_as_current_span("inner"):
        for metric in ALL:
            record(meters.get_meter(metric.scope), metric)
    meters.shutdown()
    tracers.shutdown()


if __name__ == "__main__":
    main()
