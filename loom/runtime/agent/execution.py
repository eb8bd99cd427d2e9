"""What an agent sends out: calls of capabilities, and events."""

import asyncio
import logging
from dataclasses import replace

from loom.contract.spans import agent as spans
from loom.errors import LoomRuntimeError
from loom.runtime.agent.action import Action
from loom.runtime.agent.config import AgentConfig
from loom.runtime.agent.metrics import AgentMetrics
from loom.runtime.agent.options import Surroundings
from loom.runtime.agent.spans import CALL_STATUS, describe_action
from loom.runtime.call import Call, ErrorCode, Result, Status
from loom.runtime.code import recorded_code
from loom.runtime.envelope import Envelope
from loom.runtime.event import Event
from loom.runtime.qos import Qos
from loom.runtime.router.router import PRIVACY
from loom.telemetry.current import get_current

logger = logging.getLogger("loom.agent")

RESULT = "action_result"
"""Type of the events that carry results."""

NOT_ALLOWED = "CAPABILITY_NOT_ALLOWED"
"""Error code of an action that the agent's configuration does not allow."""


class Executor:
    """Executes one agent's actions and publishes its events."""

    def __init__(self, config: AgentConfig, surroundings: Surroundings, metrics: AgentMetrics) -> None:
        """For any number of events, also at the same time."""
        self.config = config
        self._bus = surroundings.bus
        self._broker = surroundings.broker
        self._telemetry = surroundings.telemetry
        self._measured = surroundings.telemetry.enabled
        self._unsampled = surroundings.telemetry.tracing.unsampled
        self._metrics = metrics

    async def execute(self, action: Action) -> Result:
        """Call the capability; whatever goes wrong is the result's error."""
        config = self.config
        call = Call(
            action.target,
            action.payload,
            action.version,
            action.timeout or config.action_seconds,
            action.call_id,
        )
        if not self._measured or (context := get_current()) is self._unsampled:
            return await self._invoke(action, call)
        described = describe_action(config, action, call)
        with self._telemetry.span(spans.EXECUTE_ACTION, described, context) as span:
            result = await self._invoke(action, call)
            span.set_attribute(CALL_STATUS, str(result.status))
            if result.error is not None:
                code = recorded_code(result.error)
                span.fail(code, code)
            return result

    async def publish_result(self, envelope: Envelope, action: Action, result: Result) -> None:
        """Answer an event with what became of an action that wants that said.

        LoomRuntimeError when it cannot be published.
        """
        metadata = {"action_type": action.type, "status": result.status.value}
        output = result.output
        if result.error is not None:
            metadata["error_code"] = result.error.code
            output = {"code": result.error.code, "message": result.error.message}
        event = Event(RESULT, output, source=self.config.agent_id, metadata=metadata)
        await self.send(envelope, action.reply_to or envelope.reply_to, event, action.qos)

    async def send(self, cause: Envelope, topic: str, event: Event, qos: Qos, reply_to: str = "") -> int:
        """Publish what follows from an event: in its conversation, one hop further, no less private."""
        coordination = cause.answer(self.config.agent_id)
        if reply_to:
            coordination = replace(coordination, reply_to=reply_to)
        privacy = cause.event.metadata.get(PRIVACY)
        if privacy is not None and PRIVACY not in event.metadata:
            metadata = {**event.metadata, PRIVACY: privacy}
            event = Event(event.type, event.payload, source=event.source, metadata=metadata, id=event.id)
        return await self._bus.publish(topic, event, qos, coordination)

    async def _invoke(self, action: Action, call: Call) -> Result:
        """Invoke and count; an invocation that is cancelled counts as an error."""
        status = Status.ERROR
        try:
            if self.config.capabilities and call.capability not in self.config.capabilities:
                return Result.failed(NOT_ALLOWED, f"the agent may not call {call.capability}")
            result = await self._broker.invoke(call)
            status = result.status
        except asyncio.CancelledError:
            raise
        except LoomRuntimeError as error:
            logger.warning("agent %s: the broker refused an action: %s", self.config.agent_id, error)
            return Result.failed(ErrorCode.CLOSED, str(error))
        else:
            return result
        finally:
            self._metrics.executed(action.type, status)
