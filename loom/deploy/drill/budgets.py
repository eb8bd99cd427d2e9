"""Causes of error budgets that burn: a share of what programs do goes wrong, much or just too much."""

from math import sqrt

from loom.contract.objective import Objective
from loom.contract.resource import JOB
from loom.deploy.artifacts.rules.burning import PAGE, TICKET, Pair
from loom.deploy.drill.cause import Cause
from loom.deploy.drill.ground import Ground
from loom.deploy.drill.inside import SMALL, mending
from loom.deploy.plan.objectives import objectives

FAST, SLOW = "Fast", "Slow"
_MARGIN, _MOST = 1.5, 0.9


def share(objective: Objective, speed: str) -> float:
    """The share that must fail for one of the two alerts: for the slow one, too little for the fast one."""
    fast, slow = (_factors(objective, pairs) for pairs in (PAGE, TICKET))
    if speed == FAST:
        return min(_MOST, objective.budget * max(fast) * _MARGIN)
    return objective.budget * sqrt(min(slow) * min(fast))


def _factors(objective: Objective, pairs: tuple[Pair, ...]) -> list[float]:
    kept = set(objective.windows)
    return [pair.factor(objective) for pair in pairs if {pair.long, pair.short} <= kept] or [1.0]


def _burning(service: str, alerts: tuple[str, ...], what: dict[str, str], speed: str) -> Cause:
    """Programs by the indicator whose share they are given."""

    def begin(ground: Ground) -> None:
        wanted = {one.indicator.name: one for one in objectives(ground.plan)}
        latency = ground.plan.profile.alerting.slo.invoke_latency.threshold.seconds
        troubles = [
            trouble.format(share=f"{share(wanted[name], speed):.6f}", seconds=2 * latency)
            for name, trouble in what.items()
            if name in wanted
        ]
        ground.launch(service, *troubles, **SMALL)

    much = "much" if speed == FAST else "a little too much"
    return Cause(f"{much} of it fails: {', '.join(what)}", alerts, begin, mending(service), 1, {JOB: service})


def _causes(speed: str) -> tuple[Cause, ...]:
    services = f"drill-{speed.lower()}-burn", f"drill-{speed.lower()}-lag"
    return (
        _burning(
            services[0],
            (f"LoomDeliveryBudgetBurn{speed}", f"LoomInvokeSuccessBudgetBurn{speed}"),
            {"delivery": "dropping:{share}", "invoke_success": "burning:{share}"},
            speed,
        ),
        _burning(
            services[1],
            (f"LoomInvokeLatencyBudgetBurn{speed}", f"LoomToolSuccessBudgetBurn{speed}"),
            {"invoke_latency": "lagging:{share}:{seconds:g}", "tool_success": "tools:{share}"},
            speed,
        ),
    )


CAUSES = (*_causes(FAST), *_causes(SLOW))
