"""What the environment says about telemetry, parsed once, at the door."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from loom.contract import environment
from loom.contract.resource import ENVIRONMENT, SERVICE_NAME
from loom.errors import EnvironmentValueError
from loom.telemetry import delivery
from loom.telemetry.delivery import Delivery
from loom.telemetry.reader import Reader
from loom.telemetry.sampling import Sampling

Protocol = Literal["grpc", "http/protobuf"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where telemetry goes, under which name, and how much of it."""

    traces_endpoint: str = environment.ENDPOINT.default
    metrics_endpoint: str = environment.ENDPOINT.default
    protocol: Protocol = "grpc"
    service_name: str = environment.SERVICE_NAME.default
    deployment: str = environment.ENVIRONMENT.default
    resource: Mapping[str, str] = field(default_factory=dict)
    """Further resource attributes; they never overwrite the ones above."""
    sampling: Sampling = field(default_factory=Sampling)
    export_interval: float = int(environment.EXPORT_INTERVAL.default) / 1000
    """Seconds between two exports of the metrics."""
    export_timeout: float = int(environment.EXPORT_TIMEOUT.default) / 1000
    """Seconds that collecting and exporting the metrics may take."""
    queue_size: int = int(environment.SPAN_QUEUE.default)
    """Ended spans that may wait for the exporter: some 20 MB at the most."""
    batch_size: int = int(environment.SPAN_BATCH.default)
    """Spans in one export."""
    batch_delay: float = int(environment.SPAN_DELAY.default) / 1000
    """Seconds that an ended span waits at most for a full batch."""
    traces: Delivery = field(default_factory=Delivery)
    metrics: Delivery = field(default_factory=Delivery)
    capture_content: bool = False
    """Whether prompts, completions, tool arguments and results may become span attributes."""
    disabled: bool = False
    """Whether the SDK is switched off altogether."""


def from_environ(environ: Mapping[str, str] | None = None) -> Settings:
    """Parse the environment, `os.environ` unless another is given.

    EnvironmentValueError carries one problem for each malformed variable; nothing falls back silently.
    """
    reader = Reader(os.environ if environ is None else environ)
    resource = reader.resource_attributes()
    traces_endpoint, metrics_endpoint = reader.endpoint("traces"), reader.endpoint("metrics")
    queue_size = reader.whole(environment.SPAN_QUEUE)
    settings = Settings(
        traces_endpoint=traces_endpoint,
        metrics_endpoint=metrics_endpoint,
        protocol=reader.protocol(),
        service_name=_first(reader, environment.SERVICE_NAME, resource.pop(SERVICE_NAME.name, "")),
        deployment=_first(reader, environment.ENVIRONMENT, resource.pop(ENVIRONMENT.name, "")),
        resource=resource,
        sampling=reader.sampling(),
        export_interval=reader.seconds(environment.EXPORT_INTERVAL),
        export_timeout=reader.seconds(environment.EXPORT_TIMEOUT),
        queue_size=queue_size,
        batch_size=reader.batch(queue_size),
        batch_delay=reader.seconds(environment.SPAN_DELAY),
        traces=delivery.read(reader, environment.TRACES, traces_endpoint),
        metrics=delivery.read(reader, environment.METRICS, metrics_endpoint),
        capture_content=reader.switch(environment.CAPTURE_CONTENT),
        disabled=reader.switch(environment.DISABLED),
    )
    delivery.require_encryption(reader, (traces_endpoint, metrics_endpoint))
    if reader.problems:
        # A general variable is read once for each signal.
        raise EnvironmentValueError(*dict.fromkeys(reader.problems))
    return settings


def _first(reader: Reader, variable: environment.Variable, resource_value: str) -> str:
    """The variable itself, else what the resource attributes say, else the default."""
    return reader.text(variable.name) or resource_value or variable.default
