"""The router: asks the estimator, decides, and says so."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from math import isnan

from opentelemetry.trace import get_current_span

from loom.contract import attributes as a
from loom.contract.spans import router as spans
from loom.runtime.event import Event
from loom.runtime.router.decision import Decision, PolicyType, Question, Reason, Route, decide
from loom.runtime.router.estimator import Estimator
from loom.runtime.router.landscape import Landscape
from loom.runtime.router.metrics import RouterMetrics, Verdict
from loom.runtime.router.policy import Policy, Privacy
from loom.telemetry import Telemetry
from loom.telemetry.current import get_current

logger = logging.getLogger("loom.router")

PRIVACY = "privacy"
"""The key of an event's metadata that says how far the event may travel."""

ESTIMATE_SECONDS = 0.05
"""How long an estimate may be awaited: a good part of the default latency budget."""

VERDICTS = 4096
"""Different decisions that are remembered."""

_EVENT_ID = a.EVENT_ID.name
_UNDECIDED: dict[str, str | float] = {
    a.ROUTE.name: Route.DROP.value,
    a.ROUTE_REASON.name: Reason.ESTIMATOR_FAILED.value,
    a.CONFIDENCE.name: 0.0,
    a.ESTIMATED_LATENCY.name: 0.0,
    a.ESTIMATED_COST.name: 0.0,
}
"""What a span says when it was cut short: there was no estimate, and the event goes nowhere."""
_LEVELS: dict[object, Privacy] = {level.text: level for level in Privacy}
_LEVELS[None] = Privacy.PUBLIC  # an event that says nothing leaves it to the policy

_Key = tuple[int, str, Privacy | None, float | None]


class Router:
    """Decides for one event after another; any number of tasks may ask at the same time.

    How far an event may travel is said by its metadata under `privacy`: `public`, `sensitive`, `private` or
    `local-only`. The policy's own level is honoured too, and the stricter wins. An event that says nothing
    leaves it to the policy. One that says anything else is treated as `local-only`, wherever its decision
    leads, and counted as a violation of the privacy policy: whoever marked it meant to protect it.
    """

    def __init__(
        self,
        landscape: Landscape,
        estimator: Estimator,
        telemetry: Telemetry,
        policy: Policy | None = None,
        patience: float = ESTIMATE_SECONDS,
    ) -> None:
        """`policy` holds where none is given for an event; `patience` is an estimate's deadline in s."""
        self.landscape = landscape
        self.policy = policy or Policy()
        self._estimator = estimator
        self._patience = patience
        self._telemetry = telemetry
        self._measured = telemetry.enabled
        self._unsampled = telemetry.tracing.unsampled
        self._metrics = RouterMetrics(telemetry)
        self._verdicts: dict[_Key, Verdict] = {}
        self._failing = False

    async def route(self, event: Event, policy: Policy | None = None) -> Decision:
        """Exactly one route. Never raises for anything an event or an estimator does."""
        if not self._measured:
            return (await self._judge(event, policy or self.policy)).decision
        if (context := get_current()) is self._unsampled:
            verdict = await self._judge(event, policy or self.policy)
            verdict.count()
            return verdict.decision
        with self._telemetry.span(spans.ROUTE, {_EVENT_ID: event.id}, context) as span:
            try:
                verdict = await self._judge(event, policy or self.policy)
            except BaseException:
                span.set_attributes(_UNDECIDED)
                raise
            verdict.count()
            if span.is_recording():
                span.set_attributes(verdict.described)
            return verdict.decision

    async def _judge(self, event: Event, policy: Policy) -> Verdict:
        """The verdict on an event, from memory when there was one like it."""
        kind = event.type
        try:
            privacy = _LEVELS.get(event.metadata.get(PRIVACY))
        except TypeError:
            privacy = None  # not even hashable, so no text
        confidence: float | None = 0.0
        try:
            if self._estimator.supports(kind):
                estimate = self._estimator.estimate(event)
                if not isinstance(estimate, float):
                    estimate = await self._convert(estimate)
                confidence = None if isnan(estimate) else estimate
            self._failing = False
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            confidence = None  # nobody cancelled the caller: it was the estimate
            self._complain(error)
        except Exception as error:  # noqa: BLE001 - whatever an estimator raises, the event has a route
            confidence = None
            self._complain(error)
        # By identity: hashing a policy takes longer than all the rest. The verdict keeps its policy alive.
        key = (id(policy), kind, privacy, confidence)
        return self._verdicts.get(key) or self._decide(key, policy)

    async def _convert(self, estimate: float | Awaitable[float]) -> float:
        if isinstance(estimate, Awaitable):
            async with asyncio.timeout(self._patience):
                estimate = await estimate
        return float(estimate)

    def _decide(self, key: _Key, policy: Policy) -> Verdict:
        _, kind, privacy, confidence = key
        asked = Privacy.LOCAL_ONLY if privacy is None else privacy
        decision = decide(Question(kind, asked, confidence), policy, self.landscape)
        if privacy is None:
            decision = replace(decision, violations=decision.violations | {PolicyType.PRIVACY})
        if len(self._verdicts) >= VERDICTS:
            self._verdicts.clear()
        verdict = self._verdicts[key] = Verdict(decision, policy, self._metrics)
        return verdict

    def _complain(self, error: BaseException) -> None:
        """Log the first failure of a row: an estimator that is down fails for every event."""
        if not self._failing:
            logger.warning("the estimator failed: %s", type(error).__qualname__)
        self._failing = True
        get_current_span().record_exception(error)
