"""Undoing an `up` that an interrupt found too late for the engine to do it."""

from collections.abc import Callable

from loom.deploy.engine.deployment import Home, recorded
from loom.deploy.engine.protocol import Engine, Report


def undoing(engine: Engine, home: Home, report: Report) -> Callable[[], None]:
    """Look at what there is before an `up`; the result removes what has come since, new data too."""
    before, had_data = recorded(home), engine.has_data(home)

    def undo() -> None:
        # Without a record the engine has undone it already; the same one is of an `up` that ours waited for.
        if recorded(home) not in (None, before):
            engine.down(home, report, volumes=not had_data)

    return undo
