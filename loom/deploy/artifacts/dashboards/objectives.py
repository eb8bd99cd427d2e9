"""The dashboard of the service level objectives: what may still go wrong, and how fast that is used up."""

from collections.abc import Sequence

from loom.contract.objective import Objective, bad, burn, remaining, total
from loom.contract.promql import Expression, Queries
from loom.contract.series import Series
from loom.deploy.artifacts.dashboards.layout import COLUMNS
from loom.deploy.artifacts.dashboards.limits import CRITICAL, FINE, WARNING, more_than
from loom.deploy.artifacts.dashboards.model import Board, Panel, Row, Step, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, lines, stat
from loom.deploy.artifacts.rules.burning import PAGE

TITLE = "Loom Objectives"
SPARSE = 0.25
"""Share of a budget below which one should become careful."""
_WINDOWS = ("5m", "1h", "6h", "3d")
_EMPTY = "Nothing measured"


def board(panels: Panels, objectives: Sequence[Objective]) -> Board:
    """What is left, how fast it goes, and of how much; the worst service of those chosen."""
    return Board(
        "loom-objectives",
        TITLE,
        "The service level objectives of the profile. A budget is what may go wrong over the whole window; a"
        " burn rate of 1 uses it up in exactly that time. The worst of the chosen services is shown.",
        (
            _left(panels, objectives),
            _course(panels, objectives),
            _speed(panels, objectives),
            *_traffic(panels, objectives),
        ),
    )


def _left(panels: Panels, objectives: Sequence[Objective]) -> Row:
    numbers = tuple(_budget(panels, objective) for objective in objectives)
    return Row("How much of each error budget is left?", _spread(numbers), height=4)


def _budget(panels: Panels, objective: Objective) -> Panel:
    text = Text(
        f"Budget left: {_words(objective)}",
        f"{objective.indicator.goal.capitalize()}: {objective.share * 100:.6g} % over {objective.window}."
        " What is left of the share that may fail; below 0 the objective is missed.",
    )
    left = Target(_worst(panels, objective, remaining(objective), "min"), "left")
    steps = (Step(-1e6, CRITICAL), Step(0, WARNING), Step(SPARSE, FINE))
    return stat(text, Unit.RATIO, left, steps=steps).without(_EMPTY)


def _course(panels: Panels, objectives: Sequence[Objective]) -> Row:
    text = Text(
        "Budgets over time",
        "What is left of each. A slope is a loss that goes on; a step is one that is over. It recovers when"
        " what was bad leaves the window.",
    )
    targets = (
        Target(_worst(panels, objective, remaining(objective), "min"), _words(objective))
        for objective in objectives
    )
    panel = lines(text, Unit.RATIO, *targets).wide(COLUMNS).without(_EMPTY)
    return Row("How did it come to this?", (panel,))


def _speed(panels: Panels, objectives: Sequence[Objective]) -> Row:
    return Row("How fast do they burn?", _spread([_burns(panels, objective) for objective in objectives]))


def _burns(panels: Panels, objective: Objective) -> Panel:
    page = PAGE[0].factor(objective)
    text = Text(
        f"Burn rates: {_words(objective)}",
        f"How many times faster than allowed, over several windows. From {page:.4g} over an hour on, somebody"
        " is called; from 1 on, the budget does not last.",
    )
    windows = [window for window in _WINDOWS if window in objective.windows]
    targets = (
        Target(_worst(panels, objective, burn(objective, window), "max"), window) for window in windows
    )
    steps = more_than(1, page) if page > 1 else more_than(1)
    return lines(text, Unit.COUNT, *targets).limits(*steps).without("No traffic")


def _traffic(panels: Panels, objectives: Sequence[Objective]) -> tuple[Row, ...]:
    counted = [_events(panels, objective) for objective in objectives if not objective.indicator.timed]
    return (Row("Of how much?", _spread(counted)),) if counted else ()


def _events(panels: Panels, objective: Objective) -> Panel:
    text = Text(
        f"Traffic: {_words(objective)}",
        f"What counts, and what of it was bad, per second. Below {objective.floor} in the shorter window of"
        " an alert nobody is called.",
    )
    chosen = _chosen(panels, objective)
    targets = (
        Target(chosen.value_of(total(objective)), "all"),
        Target(chosen.value_of(bad(objective)), "bad"),
    )
    return lines(text, Unit.PER_SECOND, *targets)


def _spread(panels: Sequence[Panel]) -> tuple[Panel, ...]:
    """As wide as one another, but for the columns that are left over."""
    each, more = divmod(COLUMNS, len(panels))
    return tuple(panel.wide(each + (number < more)) for number, panel in enumerate(panels))


def _worst(panels: Panels, objective: Objective, series: Series, operation: str) -> Expression:
    return _chosen(panels, objective).value_of(series, operation=operation)


def _chosen(panels: Panels, objective: Objective) -> Queries:
    """The canary is none of the services that one chooses."""
    queries = panels.plain if objective.indicator.timed else panels.queries
    return queries.matching(*objective.chosen)


def _words(objective: Objective) -> str:
    return objective.indicator.name.replace("_", " ")
