"""One event in one agent, from taking it to having handled it."""

import asyncio
import logging
from time import perf_counter_ns

from opentelemetry.context import Context

from loom.contract.spans import agent as spans
from loom.errors import LoomRuntimeError, Problem
from loom.runtime.agent.agent import Agent, Crash
from loom.runtime.agent.config import AgentConfig
from loom.runtime.agent.context import AgentContext
from loom.runtime.agent.execution import Executor
from loom.runtime.agent.metrics import AgentMetrics, Outcome
from loom.runtime.agent.options import Surroundings
from loom.runtime.agent.phase import Phase
from loom.runtime.agent.spans import EVENT_OUTCOME, ROUTE, describe_routing, describe_run
from loom.runtime.agent.watch import Watch
from loom.runtime.coordination import DEFAULT
from loom.runtime.envelope import Envelope
from loom.runtime.router import Decision, Route
from loom.telemetry.current import attach, detach
from loom.telemetry.span import Span

logger = logging.getLogger("loom.agent")

_ELSEWHERE = frozenset({Route.HYBRID, Route.DEFER, Route.DROP})


class Processor:
    """Handles one agent's events, one call of `process` for each."""

    def __init__(self, config: AgentConfig, agent: Agent, surroundings: Surroundings) -> None:
        """ConfigurationError when the agent's parameters name a malformed policy."""
        self._config = config
        self._agent = agent
        self._router = surroundings.router
        self._policy = config.policy(surroundings.router.policy)
        self._options = surroundings.options
        self._telemetry = surroundings.telemetry
        self._tracing = surroundings.telemetry.tracing
        self._measured = surroundings.telemetry.enabled
        self._unsampled = surroundings.telemetry.tracing.unsampled
        self._metrics = AgentMetrics(surroundings.telemetry, config.agent_type)
        self._executor = Executor(config, surroundings, self._metrics)
        self.failures = 0
        """Failed events in a row."""

    @property
    def idle_context(self) -> Context:
        """What is current between two events, and during an event that is not traced."""
        return self._unsampled if self._measured else Context()

    async def process(self, envelope: Envelope, watch: Watch, taken: int) -> None:
        """Handle an event that was taken at `taken` (perf_counter_ns); raises `Crash` only."""
        if not self._measured:
            await self._handle(envelope, watch, None)
        elif envelope.context is self._unsampled:
            outcome = Outcome.DROPPED  # what it is when this is cancelled
            try:
                outcome = await self._handle(envelope, watch, None)
            except Crash:
                outcome = Outcome.ERROR
                raise
            finally:
                self._metrics.outcomes[outcome].n += 1
                self._metrics.latency.add(perf_counter_ns() - taken)
        else:
            await self._process_traced(envelope, watch, taken)

    def drop(self, envelope: Envelope, taken: int) -> None:
        """Count an event that was taken, but whose turn never came."""
        metrics = self._metrics
        metrics.outcomes[Outcome.DROPPED].n += 1
        elapsed = perf_counter_ns() - taken
        span = self._tracing.start(spans.RUN, {}, envelope.context) if self._measured else None
        if span is None:
            metrics.latency.add(elapsed)
            return
        span.attributes.update(describe_run(self._config, envelope))
        span.fail(Outcome.DROPPED)
        span.end()
        metrics.latency.add_sampled(elapsed, span.context)

    async def _process_traced(self, envelope: Envelope, watch: Watch, taken: int) -> None:
        """The same below a trace that goes on, if it is kept."""
        span = self._tracing.start(spans.RUN, {}, envelope.context)
        if span is not None:
            span.attributes.update(describe_run(self._config, envelope))
        token = attach(self._tracing.below(span, envelope.context))
        outcome = Outcome.DROPPED
        try:
            outcome = await self._handle(envelope, watch, span)
        except BaseException as error:
            if isinstance(error, Crash):
                outcome = Outcome.ERROR
            if span is not None:
                span.fail(error)
            raise
        finally:
            detach(token)
            self._metrics.outcomes[outcome].n += 1
            elapsed = perf_counter_ns() - taken
            if span is None:
                self._metrics.latency.add(elapsed)
            else:
                span.attributes[EVENT_OUTCOME] = str(outcome)
                span.end()
                self._metrics.latency.add_sampled(elapsed, span.context)

    async def _handle(self, envelope: Envelope, watch: Watch, span: Span | None) -> Outcome:
        """What became of the event; whatever goes wrong with it is an error of this event alone."""
        coordination = envelope.coordination
        if coordination is not DEFAULT and coordination.expired(self._options.now()):
            return Outcome.EXPIRED
        try:
            if span is None:
                decision = await self._router.route(envelope.event, self._policy)
            else:
                decision = await self._route(envelope)
            if self._measured:
                self._metrics.routes[decision.route].n += 1
            if decision.route in _ELSEWHERE:
                outcome = await self._follow(decision, envelope, watch)
            else:
                outcome = Outcome.OK
                await self._call(AgentContext(self._executor, envelope, decision, Phase.ONLY), watch)
        except (Crash, KeyboardInterrupt, SystemExit):
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return self._fail(error, span)  # nobody cancelled us: the handler awaited something cancelled
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises costs this event only
            return self._fail(error, span)
        self.failures = 0
        return outcome

    async def _route(self, envelope: Envelope) -> Decision:
        described = describe_routing(self._config, envelope)
        with self._telemetry.span(spans.ROUTE_EVENT, described) as routing:
            decision = await self._router.route(envelope.event, self._policy)
            routing.set_attribute(ROUTE, str(decision.route))
            return decision

    async def _follow(self, decision: Decision, envelope: Envelope, watch: Watch) -> Outcome:
        """Do what the router says when that is not to handle the event once."""
        if decision.route is Route.DROP:
            return Outcome.DROPPED
        if decision.route is Route.DEFER:
            with watch.limit(self._config.handle_seconds):
                await self._options.deferral(self._config.agent_id, envelope, decision)
            return Outcome.DEFERRED
        return await self._refine(decision, envelope, watch)

    async def _refine(self, decision: Decision, envelope: Envelope, watch: Watch) -> Outcome:
        """Answer at once, then better; when the quick answer fails the better one is still tried."""
        failure: Exception | None = None
        try:
            await self._call(AgentContext(self._executor, envelope, decision, Phase.QUICK), watch)
        except Crash:
            raise
        except Exception as error:  # noqa: BLE001 - raised again below
            failure = error
        await self._call(AgentContext(self._executor, envelope, decision, Phase.REFINE), watch)
        if failure is not None:
            raise failure
        return Outcome.OK

    async def _call(self, context: AgentContext, watch: Watch) -> None:
        """Call the handler and execute its actions in their order."""
        with watch.limit(self._config.handle_seconds):
            actions = await self._agent.handle(context.envelope.event, context)
        if not actions:
            return
        if len(actions) > self._config.max_actions:
            problem = Problem(f"{len(actions)} actions for one event, {self._config.max_actions} are allowed")
            raise LoomRuntimeError(problem)
        failure: LoomRuntimeError | None = None
        for action in actions:
            result = await self._executor.execute(action)
            if action.reply_to is None:
                continue
            try:
                await self._executor.publish_result(context.envelope, action, result)
            except LoomRuntimeError as error:  # one result that cannot be published; the others may
                failure = error
        if failure is not None:
            raise failure

    def _fail(self, error: BaseException, span: Span | None) -> Outcome:
        """Log the first failure of a row: an agent may fail for every event of a flood."""
        log = logger.debug if self.failures else logger.warning
        self.failures += 1
        log(
            "agent %s failed on an event: %s", self._config.agent_id, type(error).__qualname__, exc_info=error
        )
        if span is not None:
            span.fail(error)
        limit = self._config.max_failures
        if limit and self.failures >= limit:
            self.failures = 0
            message = f"{limit} events in a row failed"
            raise Crash(message) from error
        return Outcome.ERROR
