"""Alerts on the service level objectives: an error budget that burns too fast.

Two windows must agree: the long one says that it matters, the short one that it still goes on. How fast is
too fast follows from the share of the budget that may be gone after the long window.
"""

from collections.abc import Sequence

from loom.contract.objective import SLO, Objective, burn, events, known
from loom.contract.promql import Expression, above, binary, both, either, scalar, select
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.burning import KNOWN, PAGE, TICKET, Burning, Pair
from loom.deploy.artifacts.rules.course import minutes
from loom.deploy.plan.model import Plan
from loom.deploy.plan.objectives import objectives

_NAMED = ("job", "signal")
"""Labels that say whose budget it is."""


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """For each objective one that calls now, and one for the day, with the windows that fit."""
    return tuple(alert for objective in objectives(plan) for alert in _alerts(objective))


def _alerts(objective: Objective) -> list[Alert]:
    kept, found = set(objective.windows), []
    for speed, pairs, severity, hold in (
        ("Fast", PAGE, Severity.CRITICAL, "2m"),
        ("Slow", TICKET, Severity.WARNING, "15m"),
    ):
        fitting = tuple(pair for pair in pairs if {pair.long, pair.short} <= kept)
        if fitting:
            found.append(_alert(objective, speed, fitting, (severity, hold)))
    return found


def _alert(objective: Objective, speed: str, pairs: Sequence[Pair], manner: tuple[Severity, str]) -> Alert:
    severity, hold = manner
    indicator = objective.indicator
    words = "".join(word.capitalize() for word in indicator.name.split("_"))
    who = " ".join(f"{{{{ $labels.{label} }}}}" for label in indicator.labels if label in _NAMED)
    return Alert(
        f"Loom{words}BudgetBurn{speed}",
        either(*(_burning(objective, pair) for pair in pairs)),
        hold,
        severity,
        indicator.component,
        f"The error budget of {indicator.name} burns too fast: {who}",
        f"It burns {{{{ $value | humanize }}}} times as fast as it may. The objective: {indicator.goal},"
        f" {objective.share * 100:.6g} % over {objective.window}.",
        Burning(objective, tuple(pairs), minutes(hold)).proof(),
        ((SLO, indicator.name),),
    )


def _burning(objective: Objective, pair: Pair) -> Expression:
    factor = pair.factor(objective)
    # `and` compares all labels, that of the objective too: to say once which one is enough.
    long = above(select(burn(objective, pair.long), objective.chosen), factor)
    short = above(select(burn(objective, pair.short)), factor)
    return both(long, short, _enough(objective, pair))


def _enough(objective: Objective, pair: Pair) -> Expression:
    # Where little happened, or little is known of the time, a share says nothing.
    if objective.indicator.timed:
        return binary(select(known(objective, pair.long)), ">=", scalar(KNOWN))
    return binary(select(events(objective, pair.short)), ">=", scalar(objective.floor))
