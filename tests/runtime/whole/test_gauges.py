"""Whatever happens to the whole of Loom, in whatever order: each gauge says what a plain model says."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from opentelemetry.sdk.metrics.export import NumberDataPoint

from loom.contract.metric import Metric
from loom.contract.metrics import action_broker, agent_runtime, event_bus, mcp_manager
from loom.errors import LoomRuntimeError
from loom.runtime import BusLimits, Call, Capability, Event, ProviderType, Qos, Subscription
from loom.runtime.agent import (
    Action,
    AgentConfig,
    AgentContext,
    AgentOptions,
    Crash,
    RestartPolicy,
    ScriptedAgent,
)
from loom.runtime.configuration import Configuration
from loom.runtime.loom import Loom
from loom.runtime.mcp import Backoff, ServerConfig, State, Stdio
from loom.runtime.mcp import Options as McpOptions
from loom.runtime.mcp.fake import FakeNetwork, FakeServer
from loom.runtime.mcp.pause import ManualTime
from loom.runtime.mcp.session import Tool
from loom.runtime.topic import matches
from loom.telemetry.capture import Capture

RESTARTS = 2
CAP = 8.0
"""Longest pause of the manager, in seconds of a clock that stands still."""
TURNS = 150
"""Of the event loop: more than any chain of crashes, restarts and reconnections takes."""

agents = st.sampled_from("ab")
topics = st.sampled_from(("t.x", "t.y", "u"))
patterns = st.sampled_from(("t.x", "t.*", "u", "*"))
servers = st.sampled_from(("one", "two"))
listings = st.lists(st.sampled_from("abc"), unique=True, max_size=3)
places = st.integers(0, 100)

Work = Callable[[], Awaitable[Any]]
Levels = dict[tuple[str, ...], float]
Labelled = Counter[tuple[str, ...]]


class Fragile(ScriptedAgent):
    """Crashes at events that say so, and at its first setups."""

    def __init__(self, failures: int) -> None:
        """`failures` of the first setups fail."""
        super().__init__(_handle)
        self.failures = failures

    async def setup(self) -> None:
        """Fail as often as told."""
        if self.failures:
            self.failures -= 1
            raise OSError


async def _handle(event: Event, _: AgentContext) -> Sequence[Action]:
    if event.type == "crash":
        raise Crash
    if event.type == "fail":
        raise ValueError
    return (Action("tool", reply_to=None),) if event.type == "act" else ()


@dataclass(slots=True)
class KnownAgent:
    """What must be true of an agent."""

    patterns: set[str]
    crashes: int


@dataclass(slots=True)
class KnownQueue:
    """What must be true of a subscription of our own."""

    subscription: Subscription
    queued: deque[str] = field(default_factory=deque)
    """Topics of the events that it has not taken."""


@dataclass(slots=True)
class KnownServer:
    """What must be true of an MCP server that was added."""

    connected: bool
    tools: set[str]


@dataclass(slots=True)
class Truth:
    """The plain model: what was asked for, and what must have come of it."""

    agents: dict[str, KnownAgent] = field(default_factory=dict)
    queues: list[KnownQueue] = field(default_factory=list)
    capabilities: dict[tuple[str, str], ProviderType] = field(default_factory=dict)
    servers: dict[str, KnownServer] = field(default_factory=dict)

    def levels(self) -> Mapping[Metric, Labelled]:
        """Gauge → labels → value; labels that are not there are 0."""
        patterns = sum(len(agent.patterns) for agent in self.agents.values())
        subscriptions: Labelled = Counter((queue.subscription.interest.qos.label,) for queue in self.queues)
        subscriptions["batched",] += patterns
        offered: Labelled = Counter((kind.value,) for kind in self.capabilities.values())
        offered["mcp",] += sum(len(server.tools) for server in self.servers.values())
        up = {name: server for name, server in self.servers.items() if server.connected}
        return {
            agent_runtime.AGENTS_ACTIVE: Counter({(): len(self.agents)}),
            event_bus.ACTIVE_SUBSCRIPTIONS: subscriptions,
            event_bus.BACKLOG: Counter((topic,) for queue in self.queues for topic in queue.queued),
            action_broker.REGISTERED_CAPABILITIES: offered,
            mcp_manager.SERVERS_ACTIVE: Counter({(): len(up)}),
            mcp_manager.TOOLS_REGISTERED: Counter({(name,): len(up[name].tools) for name in up}),
        }


class Whole(RuleBasedStateMachine):
    """Drives a Loom with servers in memory; nothing waits for a clock."""

    @initialize()
    def begin(self) -> None:
        self.captured = Capture()
        self.loop = asyncio.new_event_loop()
        self.time = ManualTime()
        self.network = {name: FakeServer([Tool("a")]) for name in ("one", "two")}
        self.start()

    def start(self) -> None:
        self.truth = Truth()
        self.asked: asyncio.Queue[tuple[Work, asyncio.Future[Any]] | None] = asyncio.Queue()
        self.ready: asyncio.Future[None] = self.loop.create_future()
        self.owner = self.loop.create_task(self.own())
        self.loop.run_until_complete(self.ready)

    async def own(self) -> None:
        """The task to which Loom belongs."""
        luck = Random(7)  # noqa: S311 - jitter
        configuration = Configuration(
            logs=None,
            signals=False,
            bus=BusLimits(drain=0),
            agents=AgentOptions(1, RestartPolicy(RESTARTS), clock=lambda: 0.0, pause=_pause),
            mcp=McpOptions(
                Backoff(first=1, cap=CAP), luck, self.time.pause, FakeNetwork(self.network).connect
            ),
        )
        async with Loom(configuration, self.captured.telemetry) as self.whole:
            self.ready.set_result(None)
            while work := await self.asked.get():
                do, done = work
                try:
                    done.set_result(await do())
                except LoomRuntimeError as error:
                    done.set_result(error)

    def do(self, work: Work) -> Any:  # noqa: ANN401 - whatever the work yields; what Loom refuses is returned
        async def whole() -> Any:  # noqa: ANN401 - the same
            result = await work()
            await self.settle()
            return result

        done = self.loop.create_future()
        self.asked.put_nowait((whole, done))
        return self.loop.run_until_complete(asyncio.wait_for(done, 20))

    async def settle(self) -> None:
        """Whatever follows has happened."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert await self.whole.agents.settle(60)

    # Agents

    @rule(name=agents, wanted=st.lists(patterns, max_size=2), failures=st.integers(0, RESTARTS + 1))
    def create(self, name: str, wanted: list[str], failures: int) -> None:
        config = AgentConfig(name, f"type-{name}", tuple(wanted))

        async def work() -> None:
            self.whole.agents.create(config, Fragile(failures))

        refused = self.do(work)
        assert isinstance(refused, LoomRuntimeError) is (name in self.truth.agents)
        if refused is None:
            self.know(config, failures)

    @rule(name=agents, failures=st.integers(0, 1))
    def replace(self, name: str, failures: int) -> None:
        config = AgentConfig(name, topics=("t.x",))
        self.do(lambda: self.whole.agents.replace(config, Fragile(failures)))
        self.know(config, failures)

    def know(self, config: AgentConfig, failures: int) -> None:
        self.truth.agents[config.agent_id] = KnownAgent(set(config.patterns), 0)
        self.crash(config.agent_id, failures)

    def crash(self, name: str, times: int) -> None:
        """An agent that crashes once too often is gone."""
        self.truth.agents[name].crashes += times
        if self.truth.agents[name].crashes > RESTARTS:
            del self.truth.agents[name]

    @rule(name=agents)
    def delete(self, name: str) -> None:
        refused = self.do(lambda: self.whole.agents.delete(name))
        assert isinstance(refused, LoomRuntimeError) is (name not in self.truth.agents)
        self.truth.agents.pop(name, None)

    @rule(name=agents, pattern=patterns)
    def subscribe_agent(self, name: str, pattern: str) -> None:
        async def work() -> None:
            self.whole.agents.subscribe(name, pattern)

        known = self.truth.agents.get(name)
        refused = self.do(work)
        assert isinstance(refused, LoomRuntimeError) is (known is None or pattern in known.patterns)
        if known:
            known.patterns.add(pattern)

    @rule(name=agents, pattern=patterns)
    def unsubscribe_agent(self, name: str, pattern: str) -> None:
        async def work() -> None:
            self.whole.agents.unsubscribe(name, pattern)

        known = self.truth.agents.get(name)
        refused = self.do(work)
        assert isinstance(refused, LoomRuntimeError) is (known is None or pattern not in known.patterns)
        if known:
            known.patterns.discard(pattern)

    # Events and queues

    @rule(topic=topics, kind=st.sampled_from(("ok", "act", "fail", "crash")))
    def publish(self, topic: str, kind: str) -> None:
        self.do(lambda: self.whole.bus.publish(topic, Event(kind), Qos.REALTIME))
        for queue in self.truth.queues:
            interest = queue.subscription.interest
            if matches(interest.pattern, topic) and len(queue.queued) < interest.capacity:
                queue.queued.append(topic)
        for name, known in list(self.truth.agents.items()):
            copies = sum(matches(pattern, topic) for pattern in known.patterns)
            self.crash(name, copies if kind == "crash" else 0)

    @rule(pattern=patterns, qos=st.sampled_from(Qos), capacity=st.integers(1, 2))
    def subscribe(self, pattern: str, qos: Qos, capacity: int) -> None:
        async def work() -> Subscription:
            return self.whole.bus.subscribe(pattern, (), qos, capacity)

        self.truth.queues.append(KnownQueue(self.do(work)))

    @precondition(lambda self: self.truth.queues)
    @rule(place=places)
    def unsubscribe(self, place: int) -> None:
        queue = self.truth.queues.pop(place % len(self.truth.queues))

        async def work() -> None:
            queue.subscription.close()

        self.do(work)

    @precondition(lambda self: any(queue.queued for queue in self.truth.queues))
    @rule(place=places)
    def take(self, place: int) -> None:
        waiting = [queue for queue in self.truth.queues if queue.queued]
        queue = waiting[place % len(waiting)]
        envelope = self.do(lambda: queue.subscription.get(5))
        assert envelope.topic == queue.queued.popleft()

    # Capabilities

    @rule(version=st.sampled_from(("1.0.0", "2.0.0")), kind=st.sampled_from(ProviderType))
    def register(self, version: str, kind: ProviderType) -> None:
        async def work() -> None:
            self.whole.broker.register(Capability("tool", version, kind), _serve)

        self.do(work)
        self.truth.capabilities["tool", version] = kind

    @rule(version=st.sampled_from(("", "1.0.0", "2.0.0")))
    def unregister(self, version: str) -> None:
        async def work() -> int:
            return self.whole.broker.unregister("tool", version)

        gone = [key for key in self.truth.capabilities if version in {"", key[1]}]
        assert self.do(work) == len(gone)
        for key in gone:
            del self.truth.capabilities[key]

    # MCP servers

    @rule(name=servers, keep=st.booleans())
    def add_server(self, name: str, keep: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        config = ServerConfig(name, Stdio("fake"))
        self.do(lambda: self.whole.servers.add_server(config, keep_trying=keep))
        up = self.network[name].up
        if name not in self.truth.servers and (up or keep):
            self.truth.servers[name] = KnownServer(up, self.listed(name) if up else set())

    def listed(self, name: str) -> set[str]:
        return {tool.name for tool in self.network[name].tools}

    @rule(name=servers)
    def remove_server(self, name: str) -> None:
        self.do(lambda: self.whole.servers.remove_server(name))
        self.truth.servers.pop(name, None)

    @rule(name=servers)
    def kill_server(self, name: str) -> None:
        async def work() -> None:
            self.network[name].kill()

        self.do(work)
        if name in self.truth.servers:
            self.truth.servers[name].connected = False

    @rule(name=servers)
    def revive_server(self, name: str) -> None:
        """And time passes, so that who is down is tried again."""

        async def work() -> None:
            self.network[name].revive()
            self.time.advance(CAP)

        self.do(work)
        for known in self.truth.servers:
            self.reconnected(known)

    @rule(name=servers)
    def reconnect_server(self, name: str) -> None:
        self.do(lambda: self.whole.servers.reconnect_server(name))
        self.reconnected(name)

    def reconnected(self, name: str) -> None:
        known, up = self.truth.servers.get(name), self.network[name].up
        if known:
            known.connected = up
            known.tools = self.listed(name) if up else known.tools

    @rule(name=servers, tools=listings)
    def change_tools(self, name: str, tools: list[str]) -> None:
        async def work() -> None:
            self.network[name].change(Tool(tool) for tool in tools)

        self.do(work)
        known = self.truth.servers.get(name)
        if known and known.connected:
            known.tools = set(tools)

    # The whole

    @rule()
    def shut_down_and_start_anew(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self.asked.put_nowait(None)
        self.loop.run_until_complete(asyncio.wait_for(self.owner, 20))
        assert asyncio.all_tasks(self.loop) == set()
        self.truth = Truth()
        self.check()

    @precondition(lambda self: hasattr(self, "truth"))
    @invariant()
    def every_gauge_is_at_the_truth(self) -> None:
        self.check()
        assert {config.agent_id for config in self.whole.agents.agents()} == set(self.truth.agents)
        up = {one.name for one in self.whole.servers.servers() if one.state is State.CONNECTED}
        assert up == {name for name, known in self.truth.servers.items() if known.connected}

    def check(self) -> None:
        found = self.captured.metrics()

        def read(metric: Metric) -> Levels:
            data = found.get((metric.scope, metric.name))
            return {
                tuple(str((point.attributes or {})[each.name]) for each in metric.attributes): point.value
                for point in (data.data.data_points if data else ())
                if isinstance(point, NumberDataPoint)
            }

        for metric, truth in self.truth.levels().items():
            levels = read(metric)
            assert {labels: level for labels, level in levels.items() if level} == +truth, metric.name
        patterns = sum(len(known.patterns) for known in self.truth.agents.values())
        connected = sum(known.connected for known in self.truth.servers.values())
        for begun, ended, left in (
            (agent_runtime.AGENTS_CREATED, agent_runtime.AGENTS_DELETED, len(self.truth.agents)),
            (agent_runtime.SUBSCRIPTIONS, agent_runtime.UNSUBSCRIPTIONS, patterns),
            (mcp_manager.SERVERS_CONNECTED, mcp_manager.SERVERS_DISCONNECTED, connected),
        ):
            assert sum(read(begun).values()) - sum(read(ended).values()) == left, begun.name

    def teardown(self) -> None:
        if hasattr(self, "truth"):
            self.stop()
            self.loop.close()
            self.captured.telemetry.shutdown()


async def _pause(_: float) -> None:
    await asyncio.sleep(0)


async def _serve(call: Call) -> object:
    return call.payload


TestWhole = Whole.TestCase
TestWhole.settings = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # making a failure shorter takes minutes, past any timeout
    suppress_health_check=[HealthCheck.too_slow],
)
TestWhole.pytestmark = [pytest.mark.slow]  # type: ignore[attr-defined] # what pytest looks for
