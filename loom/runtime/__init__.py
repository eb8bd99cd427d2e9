"""The Loom runtime: an event bus and an action broker that say what they do."""

from loom.runtime.broker import ActionBroker, BrokerLimits
from loom.runtime.bus import EventBus
from loom.runtime.call import Call, CallError, ErrorCode, Result, Status
from loom.runtime.capability import Capability, Provider, ProviderType
from loom.runtime.coordination import Coordination
from loom.runtime.envelope import Envelope
from loom.runtime.event import Event
from loom.runtime.limits import BusLimits
from loom.runtime.qos import Qos
from loom.runtime.subscription import Subscription

__all__ = [
    "ActionBroker",
    "BrokerLimits",
    "BusLimits",
    "Call",
    "CallError",
    "Capability",
    "Coordination",
    "Envelope",
    "ErrorCode",
    "Event",
    "EventBus",
    "Provider",
    "ProviderType",
    "Qos",
    "Result",
    "Status",
    "Subscription",
]
