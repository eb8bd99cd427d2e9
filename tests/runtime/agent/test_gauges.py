"""Whatever happens to agents, every gauge ends at the truth and every event is accounted for."""

import asyncio
from collections.abc import Iterable, Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from loom.contract.metrics import agent as m
from loom.contract.metrics import agent_runtime as r
from loom.contract.metrics import event_bus as b
from loom.runtime import ActionBroker, BusLimits, Capability, Event, EventBus, Qos, Subscription
from loom.runtime.agent import (
    Action,
    AgentConfig,
    AgentContext,
    AgentOptions,
    AgentRuntime,
    Crash,
    RestartPolicy,
    ScriptedAgent,
)
from loom.runtime.call import Call
from loom.runtime.router import FixedEstimator, Landscape, Model, Router
from loom.telemetry import Telemetry
from loom.telemetry.capture import Capture

NAMES = st.sampled_from("abcd")
TOPICS = st.sampled_from(("t1", "t2", "t3", "t.*", "*"))
KINDS = st.sampled_from(("ok", "yield", "bad", "crash", "act", "answer", "hang", "private"))


async def act(event: Event, context: AgentContext) -> Sequence[Action]:
    """Do what the type of the event says."""
    match event.type:
        case "crash":
            raise Crash
        case "bad":
            raise ValueError
        case "hang":
            await asyncio.get_running_loop().create_future()
        case "yield":
            await asyncio.sleep(0)
        case "act":
            return [Action("echo", reply_to=None), Action("nothing", reply_to=None)]
        case "answer":
            await context.publish("t1", Event("ok"), Qos.REALTIME)
    return ()


class Lively(ScriptedAgent):
    """An agent with a setup that sometimes fails."""

    def __init__(self, failures: int) -> None:
        """`failures` of the first setups fail."""
        super().__init__(act)
        self.failures = failures

    async def setup(self) -> None:
        """Fail as often as told."""
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise OSError


async def echo(call: Call) -> object:
    return call.payload


class RememberingBus(EventBus):
    """Knows every subscription there ever was."""

    def __init__(self, telemetry: Telemetry, limits: BusLimits) -> None:
        """None yet."""
        super().__init__(telemetry, limits)
        self.subscriptions: list[Subscription] = []

    def subscribe(
        self, pattern: str, types: Iterable[str] = (), qos: Qos = Qos.BATCHED, capacity: int = 0
    ) -> Subscription:
        """Subscribe and remember."""
        self.subscriptions.append(super().subscribe(pattern, types, qos, capacity))
        return self.subscriptions[-1]


class Agents(RuleBasedStateMachine):
    """Create, delete, replace, crash, restart, subscribe, unsubscribe, publish, shut down, in any order."""

    def __init__(self) -> None:
        """Enter a runtime in a task that lives as long as this."""
        super().__init__()
        self.captured = Capture()
        self.loop = asyncio.new_event_loop()
        self.leave = asyncio.Event()
        self.entered = self.loop.create_future()
        self.created = 0
        self.subscribed = 0
        self.world = self.loop.create_task(self._live())
        self.bus, self.runtime = self.loop.run_until_complete(self.entered)

    async def _live(self) -> None:
        telemetry = self.captured.telemetry
        options = AgentOptions(drain=0.02, restart=RestartPolicy(limit=2), pause=self._pause)
        limits = BusLimits(realtime=2, batched=8, slot_wait=0.005)
        async with RememberingBus(telemetry, limits) as bus, ActionBroker(telemetry) as broker:
            broker.register(Capability("echo"), echo)
            router = Router(Landscape((Model("small"),)), FixedEstimator(), telemetry)
            async with AgentRuntime(bus, broker, router, telemetry, options) as runtime:
                self.entered.set_result((bus, runtime))
                await self.leave.wait()

    async def _pause(self, _: float) -> None:
        await asyncio.sleep(0)

    def _ids(self) -> set[str]:
        return {config.agent_id for config in self.runtime.agents()}

    @rule(name=NAMES, topics=st.lists(TOPICS, max_size=3), failures=st.integers(0, 4), wide=st.booleans())
    def create(self, name: str, topics: list[str], failures: int, wide: bool) -> None:  # noqa: FBT001 - drawn
        async def create() -> None:
            if name not in self._ids():
                config = AgentConfig(
                    name, f"type-{name}", tuple(topics), handle_seconds=0.01, concurrency=3 if wide else 1
                )
                self.runtime.create(config, Lively(failures))
                self.created += 1
                self.subscribed += len(config.patterns)

        self.loop.run_until_complete(create())

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        async def delete() -> None:
            if name in self._ids():
                await self.runtime.delete(name)

        self.loop.run_until_complete(delete())

    @rule(name=NAMES)
    def replace(self, name: str) -> None:
        async def replace() -> None:
            await self.runtime.replace(AgentConfig(name, topics=("t1",)), Lively(0))
            self.created += 1
            self.subscribed += 2

        self.loop.run_until_complete(replace())

    @rule(name=NAMES, topic=TOPICS)
    def subscribe_or_unsubscribe(self, name: str, topic: str) -> None:
        async def change() -> None:
            member = self.runtime._members.get(name)
            if member is None:
                return
            if topic in member.subscriptions:
                self.runtime.unsubscribe(name, topic)
            else:
                self.runtime.subscribe(name, topic)
                self.subscribed += 1

        self.loop.run_until_complete(change())

    @rule(
        topic=st.sampled_from(("t1", "t2", "t3", "t.x")),
        kinds=st.lists(KINDS, max_size=12),
        qos=st.sampled_from(Qos),
    )
    def publish(self, topic: str, kinds: list[str], qos: Qos) -> None:
        async def publish() -> None:
            for kind in kinds:
                metadata = {"privacy": "?"} if kind == "private" else {}
                await self.bus.publish(topic, Event(kind, metadata=metadata), qos)

        self.loop.run_until_complete(publish())

    @precondition(lambda self: self.created)
    @rule()
    def wait(self) -> None:
        self.loop.run_until_complete(self.runtime.settle(0.02))

    @invariant()
    def the_number_of_agents_is_the_truth(self) -> None:
        assert self.captured.value(r.AGENTS_ACTIVE) == len(self._ids())

    def teardown(self) -> None:
        """Shut down and settle every account."""
        self.leave.set()
        self.loop.run_until_complete(self.world)
        assert not asyncio.all_tasks(self.loop)
        self.loop.close()
        captured = self.captured
        captured.telemetry.shutdown()
        assert captured.value(r.AGENTS_ACTIVE) == 0
        assert captured.value(r.AGENTS_CREATED) == captured.value(r.AGENTS_DELETED) == self.created
        assert captured.value(r.SUBSCRIPTIONS) == captured.value(r.UNSUBSCRIPTIONS) == self.subscribed
        assert captured.total(b.ACTIVE_SUBSCRIPTIONS) == captured.total(b.BACKLOG) == 0
        # Every event that entered a queue was taken by an agent, which says what became of it, or dropped.
        taken = captured.total(m.EVENTS_PROCESSED)
        queues = self.bus.subscriptions
        discarded = sum(queue.discarded.total() for queue in queues)
        refused = sum(queue.refused.total() for queue in queues)
        unheard = sum(n for (_, reason), n in captured.values(b.DROPPED).items() if reason == "no_subscriber")
        assert captured.total(b.DELIVERED) == sum(queue.accepted for queue in queues) == taken + discarded
        assert captured.total(b.DROPPED) == discarded + refused + unheard
        assert captured.total(m.EVENT_LATENCY) == taken
        assert captured.total(m.ROUTING_DECISIONS) <= taken
        counted = {outcome for (_, outcome), n in captured.values(m.EVENTS_PROCESSED).items() if n}
        assert counted <= {"ok", "error", "dropped"}


TestAgents = Agents.TestCase
TestAgents.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
