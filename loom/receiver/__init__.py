"""An OTLP receiver in this process: gRPC and HTTP, decoded into plain data; it does not judge."""

from loom.receiver.arrival import (
    Arrival,
    MetricArrival,
    Origin,
    Point,
    Shape,
    SpanArrival,
    Value,
)
from loom.receiver.decode import Decoder
from loom.receiver.receiver import Addresses, Receiver, receiving
from loom.receiver.recorder import Recorder, recording
from loom.receiver.signals import MAX_BYTES, Refusal, Sink

__all__ = [
    "MAX_BYTES",
    "Addresses",
    "Arrival",
    "Decoder",
    "MetricArrival",
    "Origin",
    "Point",
    "Receiver",
    "Recorder",
    "Refusal",
    "Shape",
    "Sink",
    "SpanArrival",
    "Value",
    "receiving",
    "recording",
]
