"""An event on its way: the topic, how it travels, and the trace it belongs to."""

from collections.abc import Mapping

from opentelemetry.context import Context

from loom.runtime.account import Account
from loom.runtime.coordination import DEFAULT, Coordination
from loom.runtime.event import Event
from loom.runtime.qos import Qos
from loom.telemetry.propagation import decode, encode

EMPTY = Context()


class Envelope:
    """What a subscriber gets. Treat it as immutable: every subscriber gets the same object."""

    __slots__ = ("context", "coordination", "event", "qos", "route", "topic")

    def __init__(
        self,
        topic: str,
        event: Event,
        qos: Qos = Qos.BATCHED,
        context: Context = EMPTY,
        coordination: Coordination = DEFAULT,
    ) -> None:
        """`context` is the trace context of the publish: whoever handles the event continues it."""
        self.topic = topic
        self.event = event
        self.qos = qos
        self.context = context
        self.coordination = coordination
        self.route: Account | None = None
        """The bus's own: where it counts."""

    @property
    def thread_id(self) -> str:
        """The conversation: its first event's id names it."""
        return self.coordination.thread_id or self.event.id

    @property
    def correlation_id(self) -> str:
        """What the event answers; the thread when it says nothing."""
        return self.coordination.correlation_id or self.thread_id

    @property
    def reply_to(self) -> str:
        """The topic for answers."""
        return self.coordination.reply_to or f"thread.{self.thread_id}.reply"

    def answer(self, sender: str = "") -> Coordination:
        """Coordination for an event that answers this one: same thread, one hop further."""
        return self.coordination.answer(self.thread_id, self.event.id, sender)

    def to_headers(self) -> dict[str, str]:
        """Trace context (W3C) and coordination as text, for another process."""
        return {**self.coordination.to_headers(), "thread_id": self.thread_id, **encode(self.context)}

    @classmethod
    def from_headers(
        cls, topic: str, event: Event, headers: Mapping[str, str], qos: Qos = Qos.BATCHED
    ) -> "Envelope":
        """An envelope that came from another process; LoomRuntimeError for malformed coordination.

        Malformed trace context counts as absent, as W3C demands.
        """
        return cls(topic, event, qos, decode(headers), Coordination.from_headers(headers))

    def __repr__(self) -> str:
        """Topic and event, without the payload."""
        return f"Envelope({self.topic!r}, {self.event!r}, {self.qos.label})"
