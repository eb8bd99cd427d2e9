"""The agent runtime: makes agents, keeps them running, and lets them go."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from loom.contract.spans import agent_runtime as spans
from loom.errors import LoomRuntimeError, Problem
from loom.runtime.agent.agent import Agent
from loom.runtime.agent.config import AgentConfig
from loom.runtime.agent.lull import Lull
from loom.runtime.agent.member import Member
from loom.runtime.agent.metrics import RuntimeMetrics
from loom.runtime.agent.options import AgentOptions, Surroundings
from loom.runtime.agent.spans import describe_agent
from loom.runtime.broker import ActionBroker
from loom.runtime.bus import EventBus
from loom.runtime.crew import Crew
from loom.runtime.router import Router
from loom.runtime.topic import check_pattern
from loom.telemetry import Telemetry

logger = logging.getLogger("loom.agent_runtime")


class AgentRuntime:
    """Enter it to use it: agents run in tasks of its own, and are drained when it is left.

    Leave it before the bus and the broker, so that agents can finish what they do.
    """

    def __init__(
        self,
        bus: EventBus,
        broker: ActionBroker,
        router: Router,
        telemetry: Telemetry,
        options: AgentOptions | None = None,
    ) -> None:
        """There are no agents yet."""
        self._options = options or AgentOptions()
        self._surroundings = Surroundings(bus, broker, router, telemetry, self._options)
        self._telemetry = telemetry
        self._metrics = RuntimeMetrics(telemetry)
        self._members: dict[str, Member] = {}
        self._leaving: set[Member] = set()
        self._crew = Crew(logger)
        self._open = False
        self._lull = Lull(lambda: all(member.quiet for member in self._members.values()))

    def agents(self) -> list[AgentConfig]:
        """The agents there are, those included that crashed and will be restarted."""
        return [member.config for member in self._members.values()]

    def create(self, config: AgentConfig, agent: Agent) -> None:
        """Subscribe an agent and set it up; its events wait until that is done.

        LoomRuntimeError when there is one of that id, or the runtime or the bus is closed.
        """
        self._require_open()
        if config.agent_id in self._members:
            problem = Problem(f"there is an agent {config.agent_id!r}", hint="delete it, or use replace")
            raise LoomRuntimeError(problem)
        with self._telemetry.span(spans.CREATE_AGENT, describe_agent(config)):
            member = Member(config, agent, self._surroundings, self._lull, self._bury)
            try:
                for pattern in config.patterns:
                    member.subscribe(pattern)
            except BaseException:
                member.end()
                raise
            self._members[config.agent_id] = member
            self._metrics.created()
            self._metrics.subscribed(len(member.subscriptions))
            member.start(self._crew)

    async def delete(self, agent_id: str) -> None:
        """Let an agent handle what it has, as long as the options say, and remove it.

        What is left then is dropped as closed. LoomRuntimeError when there is none of that id, or one of the
        agent's own tasks asks for it, which would wait for itself.
        """
        member = self._find(agent_id)
        if asyncio.current_task() in member.tasks:
            raise LoomRuntimeError(Problem(f"agent {agent_id!r} cannot delete itself"))
        await self._retire(member, self._options.drain)

    async def replace(self, config: AgentConfig, agent: Agent) -> None:
        """Delete the agent of that id, if there is one, and create another."""
        if config.agent_id in self._members:
            await self.delete(config.agent_id)
        self.create(config, agent)

    def subscribe(self, agent_id: str, pattern: str) -> None:
        """Subscribe an agent to one more topic or pattern.

        LoomRuntimeError when there is no such agent, it is subscribed already, or the pattern is malformed.
        """
        self._require_open()
        member = self._find(agent_id)
        check_pattern(pattern)
        if pattern in member.subscriptions:
            raise LoomRuntimeError(Problem(f"agent {agent_id!r} is subscribed to {pattern!r}"))
        with self._telemetry.span(spans.SUBSCRIBE_AGENT, describe_agent(member.config, pattern)):
            member.subscribe(pattern)
            member.read(pattern, self._crew)
            self._metrics.subscribed()

    def unsubscribe(self, agent_id: str, pattern: str) -> None:
        """Take an agent off a topic or pattern; what is queued there is dropped as closed.

        LoomRuntimeError when there is no such agent, it is not subscribed, or it is its own mailbox.
        """
        member = self._find(agent_id)
        if pattern not in member.subscriptions:
            raise LoomRuntimeError(Problem(f"agent {agent_id!r} is not subscribed to {pattern!r}"))
        if pattern == member.config.mailbox:
            raise LoomRuntimeError(Problem("an agent keeps its mailbox", hint="delete the agent"))
        with self._telemetry.span(spans.UNSUBSCRIBE_AGENT, describe_agent(member.config, pattern)):
            member.unsubscribe(pattern)
            self._metrics.unsubscribed()

    async def settle(self, seconds: float) -> bool:
        """Wait until no agent has anything to do; whether that was so within so many seconds."""
        return await self._lull.wait(seconds)

    async def __aenter__(self) -> Self:
        """Agents can be created from here on."""
        await self._crew.__aenter__()
        self._open = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Let every agent handle what it has, and what the others still send it; then remove all of them."""
        self._open = False
        leaving: set[asyncio.Task[None]]
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._options.drain
        try:
            await self.settle(self._options.drain)
            async with asyncio.TaskGroup() as retiring:
                for member in list(self._members.values()):
                    retiring.create_task(self._retire(member, max(deadline - clock(), 0)))
            leaving = set().union(*(member.tasks for member in self._leaving))
            if leaving:
                await asyncio.wait(leaving, timeout=max(deadline - clock(), 0))
        finally:
            for member in [*self._members.values(), *self._leaving]:
                self._close(member)
            await self._crew.__aexit__(exc_type, exc_val, exc_tb)

    async def _retire(self, member: Member, seconds: float) -> None:
        """Delete gracefully; when this is cancelled, at once."""
        if self._members.get(member.config.agent_id) is not member:
            return  # somebody else deletes it
        del self._members[member.config.agent_id]
        self._leaving.add(member)
        with self._telemetry.span(spans.DELETE_AGENT, describe_agent(member.config)):
            try:
                await member.drain(seconds)
            finally:
                self._close(member)
            await self._crew.stop(member.tasks, member.config.setup_seconds)

    def _bury(self, member: Member, error: BaseException) -> None:
        """Delete an agent that crashed once too often."""
        if self._members.get(member.config.agent_id) is member:
            del self._members[member.config.agent_id]
        with self._telemetry.span(spans.DELETE_AGENT, describe_agent(member.config)) as span:
            span.fail(error)
            self._close(member)

    def _close(self, member: Member) -> None:
        """End an agent and count that, once."""
        self._leaving.discard(member)
        if member.ended:
            return
        member.ended = True
        member.end()
        self._metrics.unsubscribed(len(member.subscriptions))
        self._metrics.deleted()
        self._lull.notice()

    def _find(self, agent_id: str) -> Member:
        member = self._members.get(agent_id)
        if member is None:
            raise LoomRuntimeError(Problem(f"there is no agent {agent_id!r}"))
        return member

    def _require_open(self) -> None:
        if not self._open:
            problem = Problem("the agent runtime is closed", hint="create agents inside `async with`")
            raise LoomRuntimeError(problem)
