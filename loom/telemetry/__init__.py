"""The contract as OpenTelemetry: setup, cheap metrics and spans, propagation, capture."""

from loom.telemetry.sampling import Sampling
from loom.telemetry.settings import Settings, from_environ
from loom.telemetry.setup import Options, setup
from loom.telemetry.span import AnySpan
from loom.telemetry.telemetry import Telemetry

__all__ = ["AnySpan", "Options", "Sampling", "Settings", "Telemetry", "from_environ", "setup"]
