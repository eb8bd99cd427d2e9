"""Which engine runs a deployment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loom.deploy.engine.compose import ComposeEngine
from loom.deploy.engine.embedded import EmbeddedEngine, unable
from loom.deploy.engine.native import NativeEngine
from loom.deploy.engine.protocol import Engine
from loom.deploy.plan.model import Plan
from loom.errors import EngineError, Problem


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, why this one, and what it leaves out."""

    engine: Engine
    reason: str
    absences: Mapping[str, str] = field(default_factory=dict)
    """Services that it does not run here → why, and what to do about it."""
    passed: Mapping[str, str] = field(default_factory=dict)
    """Engines that would have been preferred → what they lack here."""


def engines() -> tuple[Engine, ...]:
    """Every engine there is, the preferred first."""
    return (ComposeEngine(), NativeEngine(), EmbeddedEngine())


def named(name: str, among: Sequence[Engine] | None = None) -> Engine:
    """The engine of that name; EngineError when there is none."""
    known = among or engines()
    for engine in known:
        if engine.name == name:
            return engine
    hint = f"known: {', '.join(engine.name for engine in known)}"
    raise EngineError(Problem(f"there is no engine {name!r}", hint=hint))


def choose(plan: Plan, name: str = "", among: Sequence[Engine] | None = None) -> Choice:
    """The engine asked for, or the first that can run the plan here.

    EngineError with every reason when none can. One that was asked for is not judged before it is started.
    """
    known = among or engines()
    if name:
        engine = named(name, known)
        return Choice(engine, "as asked for", {} if engine.obstacle() else engine.absences(plan))
    passed: dict[str, str] = {}
    for engine in known:
        obstacle = engine.obstacle() or (unable(plan) if engine.name == EmbeddedEngine.name else "")
        absences = {} if obstacle else engine.absences(plan)
        lacking = [f"{service}: {why}" for service, why in absences.items() if engine.essential(service)]
        if not (obstacle or lacking):
            return Choice(engine, _reason(passed, known), absences, passed)
        passed[engine.name] = obstacle or "; ".join(lacking)
    raise EngineError(*(Problem(f"engine {name} cannot work here: {why}") for name, why in passed.items()))


def _reason(passed: Mapping[str, str], known: Sequence[Engine]) -> str:
    if len(known) == 1:
        return "the only one there is"
    return (
        f"the best that can work here, after {', '.join(passed)}" if passed else "the best, and it can work"
    )
