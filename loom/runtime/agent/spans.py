"""The attributes of the agents' spans; parameters and payloads are never among them."""

from loom.contract import attributes as a
from loom.runtime.agent.action import Action
from loom.runtime.agent.config import AgentConfig
from loom.runtime.agent.metrics import Outcome
from loom.runtime.call import Call, Status
from loom.runtime.envelope import Envelope
from loom.runtime.router import Route
from loom.runtime.topic import generalise

_AGENT_ID = a.AGENT_ID.name
_AGENT_TYPE = a.AGENT_TYPE.name
_EVENT_ID = a.EVENT_ID.name
EVENT_OUTCOME = a.EVENT_OUTCOME.name
_TOPIC = a.TOPIC.name
ROUTE = a.ROUTE.name
_ACTION_TYPE = a.ACTION_TYPE.name
_CAPABILITY = a.CAPABILITY.name
_CALL_ID = a.CALL_ID.name
CALL_STATUS = a.CALL_STATUS.name
_DROPPED = str(Outcome.DROPPED)
_DROP = str(Route.DROP)
_ERROR = str(Status.ERROR)


def describe_agent(config: AgentConfig, pattern: str = "") -> dict[str, str]:
    """Whom a span of the runtime is about, and which topic, if any."""
    described = {_AGENT_ID: config.agent_id, _AGENT_TYPE: config.agent_type}
    return {**described, _TOPIC: generalise(pattern)} if pattern else described


def describe_run(config: AgentConfig, envelope: Envelope) -> dict[str, str]:
    """Who handles which event; an event that nothing else is said of was dropped."""
    route = envelope.route
    return {
        _AGENT_ID: config.agent_id,
        _AGENT_TYPE: config.agent_type,
        _EVENT_ID: envelope.event.id,
        _TOPIC: generalise(envelope.topic) if route is None else route.label,
        EVENT_OUTCOME: _DROPPED,
    }


def describe_routing(config: AgentConfig, envelope: Envelope) -> dict[str, str]:
    """Whose event is routed; an event that nothing else is decided of is dropped."""
    return {_AGENT_ID: config.agent_id, _EVENT_ID: envelope.event.id, ROUTE: _DROP}


def describe_action(config: AgentConfig, action: Action, call: Call) -> dict[str, str]:
    """Who asks for what; an action that nothing else is said of failed."""
    return {
        _AGENT_ID: config.agent_id,
        _ACTION_TYPE: action.type,
        _CAPABILITY: action.target,
        _CALL_ID: call.id,
        CALL_STATUS: _ERROR,
    }
