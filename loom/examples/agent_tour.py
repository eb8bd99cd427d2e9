"""Shows router and agents: every route and the rule behind it, and each way an event or an action can end."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from loom.examples.expectation import Expectations
from loom.runtime import Coordination, Event
from loom.runtime.agent import Action, AgentConfig, AgentContext, ScriptedAgent
from loom.runtime.loom import Loom
from loom.runtime.router import Endpoint, FixedEstimator, Landscape, Model, Reason, Route

SECONDS = 10.0
NAP = 0.3
"""Seconds an agent sleeps."""

LANDSCAPE = Landscape(
    models=(
        Model("small", frozenset({"greeting", "essay", "rumour", "riddle"})),
        Model("own", frozenset({"trip.request", "action_result", "errand", "nap", "accident"})),
    ),
    endpoints=(Endpoint("cloud"),),
)
"""Nothing local understands telegrams."""


@dataclass(frozen=True, slots=True)
class Guess(FixedEstimator):
    """Confidence by type; for riddles there is none."""

    def estimate(self, event: Event) -> float:
        """Raise for a riddle: then the router decides without."""
        if event.type == "riddle":
            message = "nobody can guess that"
            raise ValueError(message)
        return self.confidences.get(event.type, self.default or 0.0)


ESTIMATOR = Guess({"essay": 0.7, "rumour": 0.3})

_OPEN = {"routing.privacy": "public", "routing.latency_budget": "0.3"}
POLICIES = {
    "open": _OPEN,
    "hurried": {**_OPEN, "routing.latency_budget": "0.1"},
    "thrifty": {**_OPEN, "routing.cost_cap": "0.0001"},
}
"""Agent → its policy."""

CASES = (
    ("open", "greeting", "public", Route.LOCAL, Reason.LOCAL_CONFIDENT),
    ("open", "essay", "public", Route.HYBRID, Reason.HYBRID_REFINE),
    ("open", "rumour", "public", Route.CLOUD, Reason.CLOUD_CAPABLE),
    ("open", "riddle", "public", Route.LOCAL_FALLBACK, Reason.ESTIMATOR_FAILED),
    ("open", "rumour", "sensitive", Route.LOCAL_FALLBACK, Reason.NO_ENDPOINT),
    ("open", "greeting", "local-only", Route.LOCAL, Reason.PRIVACY_LOCAL_ONLY),
    ("hurried", "rumour", "public", Route.LOCAL_FALLBACK, Reason.LATENCY_BUDGET),
    ("thrifty", "rumour", "public", Route.LOCAL_FALLBACK, Reason.COST_CAP),
    ("open", "telegram", "private", Route.DEFER, Reason.PRIVACY_PRIVATE),
    ("open", "telegram", "local-only", Route.DROP, Reason.PRIVACY_NO_LOCAL_MODEL),
)
"""Agent, event, how far it may travel, its route, and why. Handlers never see the last two."""


async def show(loom: Loom, expected: Expectations) -> None:
    """Every route, then every outcome."""
    async with asyncio.timeout(SECONDS * 3):
        await _route(loom, expected)
        await _stumble(loom, expected)


async def _route(loom: Loom, expected: Expectations) -> None:
    agents = {name: ScriptedAgent() for name in POLICIES}
    for name, agent in agents.items():
        topics = (f"routing.{name}",)
        loom.agents.create(AgentConfig(name, "reader", topics, parameters=POLICIES[name]), agent)
    for name, kind, privacy, _, _ in CASES:
        await loom.bus.publish(f"routing.{name}", Event(kind, metadata={"privacy": privacy}))
    expected.check("routed in time", await loom.agents.settle(SECONDS), expected=True)
    for name, agent in agents.items():
        decided = [(context.decision.route, context.decision.reason) for context in agent.contexts]
        wanted = [
            (route, reason)
            for who, _, _, route, reason in CASES
            if who == name and route not in {Route.DEFER, Route.DROP}
            for _ in range(2 if route is Route.HYBRID else 1)  # at once, then better
        ]
        expected.check(f"the routes of {name}", decided, wanted)
        await loom.agents.delete(name)
    print(f"routed {len(CASES)} events, each for a reason of its own")


async def _stumble(loom: Loom, expected: Expectations) -> None:
    """An accident is an error, a nap lets the next event expire, and errands end in every way."""
    asleep = asyncio.Event()
    agent = ScriptedAgent(_stumbling)
    loom.agents.create(AgentConfig("clumsy", "clumsy", ("chores.todo", "chores.urgent")), agent)
    await loom.bus.publish("chores.todo", Event("accident"))
    await loom.bus.publish("chores.todo", Event("nap", asleep))
    await asleep.wait()
    # Taken from its queue, but there is only one agent: its turn comes too late.
    soon = Coordination(expires_at=time.time() + NAP / 2)
    await loom.bus.publish("chores.urgent", Event("greeting"), coordination=soon)
    await loom.bus.publish("chores.todo", Event("errand"))
    expected.check("the chores end", await loom.agents.settle(SECONDS), expected=True)
    # Without reply_to the errand's results go to its thread, where nobody listens.
    expected.check("the chores", [event.type for event in agent.events], ["accident", "nap", "errand"])
    await loom.agents.delete("clumsy")
    print("handled chores: one failed, one expired while the agent slept, one did four errands")


async def _stumbling(event: Event, _: AgentContext) -> Sequence[Action]:
    if event.type == "accident":
        message = "slipped"
        raise RuntimeError(message)
    if event.type == "nap":
        if isinstance(event.payload, asyncio.Event):
            event.payload.set()
        await asyncio.sleep(NAP)
        return ()
    city = {"city": "Rome"}
    return (
        Action("ask", city, capability="weather:forecast"),
        Action("ask", city, capability="weather:stations"),
        Action("ask", city, capability="weather:archive", timeout=0.3),
        Action("ask", city, capability="weather:tides", reply_to=None),
    )
