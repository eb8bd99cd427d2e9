"""The full path of an event: publish, run, route, execute an action, invoke a native capability."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from bench.burst import BURST, Local, Seen
from bench.bus import TOPIC
from bench.recorder import Recorder
from loom.contract.metrics import action_broker, agent, event_bus, router
from loom.contract.spans import action_broker as broker_spans
from loom.contract.spans import agent as agent_spans
from loom.contract.spans import event_bus as bus_spans
from loom.contract.spans import router as router_spans
from loom.runtime import ActionBroker, Call, Capability, Event, EventBus
from loom.runtime.agent import Action, AgentConfig, AgentContext, AgentRuntime
from loom.runtime.router import FixedEstimator, Landscape, Model, Router
from loom.telemetry import Telemetry

CAPABILITY = "bench.work"
LANDSCAPE = Landscape((Model("local"),))

METRICS = (
    event_bus.PUBLISHED,
    event_bus.DELIVERED,
    event_bus.PUBLISH_LATENCY,
    agent.EVENTS_PROCESSED,
    agent.EVENT_LATENCY,
    agent.ROUTING_DECISIONS,
    agent.ACTIONS_EXECUTED,
    router.DECISIONS,
    router.CONFIDENCE,
    router.ESTIMATED_LATENCY,
    router.ESTIMATED_COST,
    action_broker.INVOCATIONS,
    action_broker.INVOKE_LATENCY,
)
"""Each counts every event once."""
SPANS = (
    bus_spans.PUBLISH,
    agent_spans.RUN,
    agent_spans.ROUTE_EVENT,
    router_spans.ROUTE,
    agent_spans.EXECUTE_ACTION,
    broker_spans.INVOKE,
)
"""Each is there once in every trace that is kept."""
_SECONDS = 60.0


class Worker:
    """An agent that asks for one action an event, whose result nobody wants."""

    actions = (Action(CAPABILITY, reply_to=None),)

    async def handle(self, event: Event, context: AgentContext) -> Sequence[Action]:
        """Ask for it."""
        del event, context
        return self.actions


class Path(Local):
    """Everything between a publisher and a provider."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Nothing runs before `start`."""
        self._bus = EventBus(telemetry)
        self._broker = ActionBroker(telemetry)
        decides = Router(LANDSCAPE, FixedEstimator(), telemetry)
        self._agents = AgentRuntime(self._bus, self._broker, decides, telemetry)
        self._seen = Seen()

    async def start(self, stack: AsyncExitStack) -> None:
        """Run until the stack is closed."""
        await stack.enter_async_context(self._bus)
        await stack.enter_async_context(self._broker)
        await stack.enter_async_context(self._agents)
        self._broker.register(Capability(CAPABILITY), self._provide)
        self._agents.create(AgentConfig("bench", "bench", (TOPIC,)), Worker())

    async def burst(self) -> None:
        """See `Local.burst`: handled is what the provider was asked for."""
        self._seen.expect(BURST)
        for _ in range(BURST):
            await self._bus.publish(TOPIC, Event("tick"))
        await self._seen.wait()

    async def rest(self) -> bool:
        """Wait until the agents have nothing more to do; whether that came."""
        return await self._agents.settle(_SECONDS)

    async def _provide(self, call: Call) -> None:
        await self._seen.handler(call)
        self._seen.check()


class RecordedPath(Path):
    """The path and what it records."""

    def __init__(self, recorder: Recorder) -> None:
        """`recorder` is this path's alone."""
        super().__init__(recorder.telemetry)
        self._recorder = recorder

    def settle(self) -> None:
        """See `Local.settle`."""
        self._recorder.settle()

    async def audit(self, events: int) -> list[str]:
        """See `Contestant.audit`."""
        if not await self.rest():
            return [f"agents still busy after {_SECONDS:g} s"]
        expected = dict.fromkeys(METRICS, events) | {event_bus.DROPPED: 0, action_broker.ERRORS: 0}
        return self._recorder.audit(expected, SPANS, events)
