"""Every environment variable that Loom reads: its name, its default, what it means, and who reads it.

A name that is spelt anywhere else is a mistake, and a test finds it. An empty value counts as unset, as
OpenTelemetry says; a malformed one is an error that names the variable.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reader(StrEnum):
    """The room that reads a variable."""

    TELEMETRY = "loom.telemetry"
    RUNTIME = "loom.runtime"
    MCP = "loom.runtime.mcp"
    MODEL = "loom.runtime.orchestrator"
    CANARY = "loom.canary"


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable."""

    name: str
    default: str
    """What holds when it is unset; empty when there is none."""
    description: str
    """One sentence with a full stop."""
    reader: Reader = Reader.TELEMETRY
    secret: bool = False
    """Whether its value must never be shown."""


PREFIX = "OTEL_"
"""What the names of OpenTelemetry's own variables begin with."""

ENDPOINT = Variable(
    "OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317", "OTLP/gRPC endpoint of the collector."
)
PROTOCOL = Variable("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTLP's transport: `grpc` or `http/protobuf`.")
HEADERS = Variable(
    "OTEL_EXPORTER_OTLP_HEADERS",
    "",
    "Headers sent to the collector, `key=value` separated by commas, values percent-encoded.",
    secret=True,
)
TIMEOUT = Variable("OTEL_EXPORTER_OTLP_TIMEOUT", "10", "Seconds that one export may take, retries included.")
COMPRESSION = Variable("OTEL_EXPORTER_OTLP_COMPRESSION", "none", "`none`, `gzip` or `deflate`.")
CERTIFICATE = Variable(
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "",
    "PEM file with the authorities that may vouch for the collector; the system's when unset.",
)
CLIENT_CERTIFICATE = Variable(
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "", "PEM file with the certificate that we show the collector."
)
CLIENT_KEY = Variable("OTEL_EXPORTER_OTLP_CLIENT_KEY", "", "PEM file with the key of that certificate.")
INSECURE = Variable(
    "OTEL_EXPORTER_OTLP_INSECURE",
    "",
    "For gRPC, whether an endpoint without a scheme means plain text: `true` or `false`; a scheme wins.",
)
TOKEN_FILE = Variable(
    "LOOM_OTLP_TOKEN_FILE",
    "",
    "File with the bearer token for the collector, read again when it changes; OpenTelemetry has none.",
)


@dataclass(frozen=True, slots=True)
class Otlp:
    """The variables of one OTLP exporter."""

    endpoint: Variable
    headers: Variable
    timeout: Variable
    compression: Variable
    certificate: Variable
    client_certificate: Variable
    client_key: Variable
    insecure: Variable

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All of them."""
        return (
            self.endpoint,
            self.headers,
            self.timeout,
            self.compression,
            self.certificate,
            self.client_certificate,
            self.client_key,
            self.insecure,
        )


OTLP = Otlp(ENDPOINT, HEADERS, TIMEOUT, COMPRESSION, CERTIFICATE, CLIENT_CERTIFICATE, CLIENT_KEY, INSECURE)
"""For all signals."""


def _only_for(signal: str) -> Otlp:
    """The same for one signal: each wins over its general one."""
    common = "OTEL_EXPORTER_OTLP_"

    def narrow(variable: Variable) -> Variable:
        name = f"{common}{signal.upper()}_{variable.name.removeprefix(common)}"
        return Variable(name, "", f"{variable.name} for {signal} only; wins over it.", secret=variable.secret)

    return Otlp(*map(narrow, OTLP.variables))


TRACES = _only_for("traces")
METRICS = _only_for("metrics")

SERVICE_NAME = Variable("OTEL_SERVICE_NAME", "loom-core", "Service name in traces, and `job` in metrics.")
RESOURCE_ATTRIBUTES = Variable(
    "OTEL_RESOURCE_ATTRIBUTES", "", "Further resource attributes, `key=value` separated by commas."
)
ENVIRONMENT = Variable("DEPLOYMENT_ENV", "development", "Deployment environment label.")
SAMPLER = Variable(
    "OTEL_TRACE_SAMPLER",
    "always_on",
    "Share of traces that is kept: `always_on`, `always_off` or `traceidratio=R` with R from 0 to 1.",
)
STANDARD_SAMPLER = Variable(
    "OTEL_TRACES_SAMPLER", "", "The standard spelling of the sampler; wins over OTEL_TRACE_SAMPLER."
)
STANDARD_SAMPLER_ARG = Variable(
    "OTEL_TRACES_SAMPLER_ARG", "", "The ratio, when OTEL_TRACES_SAMPLER names a ratio sampler."
)
SPAN_QUEUE = Variable(
    "OTEL_BSP_MAX_QUEUE_SIZE", "16384", "Ended spans that may wait for the exporter; more are lost."
)
SPAN_BATCH = Variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512", "Spans in one export; no more than may wait.")
SPAN_DELAY = Variable(
    "OTEL_BSP_SCHEDULE_DELAY", "1000", "Milliseconds that an ended span waits at most for a full batch."
)
EXPORT_INTERVAL = Variable(
    "OTEL_METRIC_EXPORT_INTERVAL", "10000", "Milliseconds between two exports of the metrics."
)
EXPORT_TIMEOUT = Variable(
    "OTEL_METRIC_EXPORT_TIMEOUT", "30000", "Milliseconds that collecting and exporting the metrics may take."
)
DISABLED = Variable("OTEL_SDK_DISABLED", "false", "`true` switches all telemetry off.")
CAPTURE_CONTENT = Variable(
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    "false",
    "Whether prompts, completions, tool arguments and results may become span attributes.",
)

LOG_LEVEL = Variable(
    "LOOM_LOG_LEVEL", "info", "Least level that is logged: debug, info, warning or error.", Reader.RUNTIME
)
LOG_FORMAT = Variable("LOOM_LOG_FORMAT", "text", "Form of the logs: text or json.", Reader.RUNTIME)
DRAIN = Variable(
    "LOOM_DRAIN_SECONDS", "5", "Seconds that a shutdown lets agents handle what is queued.", Reader.RUNTIME
)
ROUTING_PRIVACY = Variable(
    "LOOM_ROUTING_PRIVACY",
    "",
    "How far events may travel at most: public, sensitive, private or local-only.",
    Reader.RUNTIME,
)
ROUTING_LATENCY_BUDGET = Variable(
    "LOOM_ROUTING_LATENCY_BUDGET", "", "Seconds a route may take.", Reader.RUNTIME
)
ROUTING_COST_CAP = Variable("LOOM_ROUTING_COST_CAP", "", "USD a route may cost, per event.", Reader.RUNTIME)
ROUTING_QUALITY_THRESHOLD = Variable(
    "LOOM_ROUTING_QUALITY_THRESHOLD", "", "Confidence that suffices, from 0 to 1.", Reader.RUNTIME
)

MCP_SERVERS = Variable(
    "LOOM_MCP_SERVERS",
    "",
    "MCP servers as JSON: a list, or an object of names; wins over LOOM_MCP_CONFIG.",
    Reader.MCP,
    secret=True,
)
MCP_CONFIG = Variable("LOOM_MCP_CONFIG", "", "Path of a TOML or JSON file with MCP servers.", Reader.MCP)

MODEL = Variable("LOOM_MODEL", "", "The language model, as its endpoint calls it.", Reader.MODEL)
MODEL_BASE_URL = Variable(
    "LOOM_MODEL_BASE_URL",
    "http://localhost:8000/v1",
    "OpenAI-compatible endpoint, up to and including `/v1`.",
    Reader.MODEL,
)
MODEL_API_KEY = Variable(
    "LOOM_MODEL_API_KEY", "", "Key of the endpoint; many local servers need none.", Reader.MODEL, secret=True
)
MODEL_PROVIDER = Variable(
    "LOOM_MODEL_PROVIDER", "openai", "Who serves the model, as the GenAI conventions name it.", Reader.MODEL
)

ALL = (
    PROTOCOL,
    *OTLP.variables,
    *TRACES.variables,
    *METRICS.variables,
    TOKEN_FILE,
    SERVICE_NAME,
    RESOURCE_ATTRIBUTES,
    ENVIRONMENT,
    SAMPLER,
    STANDARD_SAMPLER,
    STANDARD_SAMPLER_ARG,
    SPAN_QUEUE,
    SPAN_BATCH,
    SPAN_DELAY,
    EXPORT_INTERVAL,
    EXPORT_TIMEOUT,
    DISABLED,
    CAPTURE_CONTENT,
    LOG_LEVEL,
    LOG_FORMAT,
    DRAIN,
    ROUTING_PRIVACY,
    ROUTING_LATENCY_BUDGET,
    ROUTING_COST_CAP,
    ROUTING_QUALITY_THRESHOLD,
    MCP_SERVERS,
    MCP_CONFIG,
    MODEL,
    MODEL_BASE_URL,
    MODEL_API_KEY,
    MODEL_PROVIDER,
)
