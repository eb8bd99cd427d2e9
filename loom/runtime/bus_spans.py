"""The attributes of the event bus's spans."""

from typing import Any

from loom.contract import attributes as a
from loom.runtime.envelope import Envelope
from loom.runtime.receipt import Receipt
from loom.runtime.subscription import Subscription
from loom.runtime.topic import generalise
from loom.telemetry.span import Span

_EVENT_ID = a.EVENT_ID.name
_TOPIC = a.TOPIC.name
_EVENT_TYPE = a.EVENT_TYPE.name
_QOS = a.QOS.name
_QOS_VALUES = a.QOS.values
_DELIVERED = a.DELIVERED.name
_DROPPED = a.DROPPED.name
_SYSTEM = a.MESSAGING_SYSTEM.name
_OPERATION = a.MESSAGING_OPERATION.name
_DESTINATION = a.MESSAGING_DESTINATION.name
_MESSAGE_ID = a.MESSAGING_ID.name
(_LOOM,) = a.MESSAGING_SYSTEM.values
(_SEND,) = a.MESSAGING_OPERATION.values


def publish_attributes(envelope: Envelope, label: str) -> dict[str, Any]:
    """What is known before a publish; never the payload."""
    event_id = envelope.event.id
    return {
        _EVENT_ID: event_id,
        _TOPIC: label,
        _EVENT_TYPE: envelope.event.type,
        _QOS: _QOS_VALUES[envelope.qos],
        _DELIVERED: 0,
        _DROPPED: 0,
        _SYSTEM: _LOOM,
        _OPERATION: _SEND,
        _DESTINATION: envelope.topic,
        _MESSAGE_ID: event_id,
    }


def record_outcome(span: Span, outcome: int | Receipt) -> None:
    """What is known after a publish: an event that was dropped somewhere ends as an error."""
    if isinstance(outcome, int):
        span.attributes[_DELIVERED] = outcome
        return
    span.attributes[_DELIVERED] = outcome.delivered
    span.attributes[_DROPPED] = outcome.dropped
    if outcome.dropped and span.error is None:
        span.fail(outcome.reason)


def subscription_attributes(subscription: Subscription) -> dict[str, Any]:
    """Who subscribed to what."""
    return {
        _TOPIC: generalise(subscription.interest.pattern),
        a.SUBSCRIPTION_ID.name: subscription.id,
        _QOS: subscription.interest.qos.label,
    }
