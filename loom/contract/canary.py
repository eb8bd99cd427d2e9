"""What the canary sends, and what it says about itself: nothing of this is the runtime's own telemetry.

What it sends goes the way of all telemetry; what it exports is scraped from its own port.
"""

from loom.contract.attribute import Attribute
from loom.contract.environment import Reader, Variable
from loom.contract.metric import Kind, Metric
from loom.contract.resource import INSTANCE, JOB
from loom.contract.series import Series
from loom.contract.span import Span, SpanKind

SERVICE = "loom-canary"
"""Its service name: `job` of what it sends."""
USER = "canary"
"""What it calls itself where a store asks for a password."""
SCOPE = "loom.canary"
"""Apart from `scopes.ALL`: no component of the runtime."""

CANARY = Attribute(
    "loom.canary", "True on everything that the canary sends: what samplers keep it by.", type="boolean"
)
NONCE = Attribute("loom.canary.nonce", "Random text, new for each round.")

ROUND = Span("round", SCOPE, SpanKind.INTERNAL, "One round of the canary.", (CANARY, NONCE))
ECHO = Span(
    "echo",
    SCOPE,
    SpanKind.CLIENT,
    "A span below, to see that a trace stays whole.",
    (CANARY, NONCE),
    parents=(ROUND.key,),
)
SENT = Metric(
    "loom.canary.sent_timestamp",
    Kind.GAUGE,
    "s",
    "When the latest round began, as Unix time; it only grows, and no two rounds have the same.",
    SCOPE,
)
SPANS = (ROUND, ECHO)

SIGNALS = ("traces", "metrics")
"""Values of the label `signal`."""
SEND, LOOKUP = "send", "lookup"
STAGES = (SEND, LOOKUP)
"""Values of the label `stage`: not acknowledged by the ingress; acknowledged and not found in time."""

_TARGET = (JOB, INSTANCE)
_SIGNAL = (*_TARGET, "signal")

LAST_SUCCESS = Series("loom_canary_last_success_timestamp_seconds", _SIGNAL)
"""When the newest arrival that was found had been sent, as Unix time; not there before the first one."""
ROUND_TRIP = Series("loom_canary_round_trip_seconds", _SIGNAL)
"""From sending to finding, of the newest arrival; not there before the first one."""
ATTEMPTS = Series("loom_canary_attempts_total", _SIGNAL)
"""Rounds that have ended."""
FAILURES = Series("loom_canary_failures_total", (*_SIGNAL, "stage"))
"""Rounds that ended without an arrival, by what failed."""
CERTIFICATE_EXPIRY = Series("loom_canary_certificate_expiry_timestamp_seconds", (*_TARGET, "identity"))
"""When a certificate ends, as Unix time: `own` for its own, else that which a port presents, by its name."""
PORT_OPEN = Series("loom_canary_port_open", (*_TARGET, "identity"))
"""1 where a port presented a certificate at the latest look, 0 where it did not; ports by their names."""
BUILD_INFO = Series("loom_canary_build_info", (*_TARGET, "version"))
"""Always 1."""

ALL = (LAST_SUCCESS, ROUND_TRIP, ATTEMPTS, FAILURES, CERTIFICATE_EXPIRY, PORT_OPEN, BUILD_INFO)

INTERVAL = Variable("LOOM_CANARY_INTERVAL", "60", "Seconds between two rounds.", Reader.CANARY)
PATIENCE = Variable(
    "LOOM_CANARY_PATIENCE",
    "",
    "Seconds that an arrival may take, where a sampler waits before it decides; the interval by default.",
    Reader.CANARY,
)
LISTEN = Variable(
    "LOOM_CANARY_LISTEN", "127.0.0.1:9469", "Where it exports what it says about itself.", Reader.CANARY
)
PROMETHEUS = Variable(
    "LOOM_CANARY_PROMETHEUS", "", "URL of the Prometheus that it looks its metric up in.", Reader.CANARY
)
JAEGER = Variable("LOOM_CANARY_JAEGER", "", "URL of the Jaeger that it looks its trace up in.", Reader.CANARY)
CREDENTIALS = Variable(
    "LOOM_CANARY_CREDENTIALS",
    "",
    "Folder with ca.pem, cert.pem, key.pem, and password; plain HTTP without.",
    Reader.CANARY,
)
SERIES = Variable(
    "LOOM_CANARY_SERIES",
    "",
    "Name of its metric in Prometheus; the documented one by default.",
    Reader.CANARY,
)
WATCH = Variable(
    "LOOM_CANARY_WATCH",
    "",
    "Further ports that it looks at, and their certificates: `host:port=name`, with commas.",
    Reader.CANARY,
)
VARIABLES = (INTERVAL, PATIENCE, LISTEN, PROMETHEUS, JAEGER, CREDENTIALS, SERIES, WATCH)
