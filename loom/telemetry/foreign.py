"""A tracer provider for other libraries: same decisions, same queue, same exporter."""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased

from loom.telemetry.batcher import Batcher
from loom.telemetry.readable import AnyEnded, Bridge
from loom.telemetry.sampling import Sampling


def provide(sampling: Sampling, resource: Resource, batcher: Batcher[AnyEnded]) -> TracerProvider:
    """A provider whose spans go into `batcher`."""
    provider = TracerProvider(_sampler(sampling), resource, shutdown_on_exit=False)
    provider.add_span_processor(Bridge(batcher))
    return provider


def _sampler(sampling: Sampling) -> Sampler:
    root = TraceIdRatioBased(sampling.ratio)
    return ParentBased(root) if sampling.follow_parent else root
