"""`diff --live` as a function: a deployment, asked and judged."""

from loom.deploy.drift.live import files, judge
from loom.deploy.drift.live.gather import Effects, gather
from loom.deploy.drift.live.model import Report
from loom.deploy.drift.live.pages import DeployedPages
from loom.deploy.drift.live.runner import Containers, Processes, Runner
from loom.deploy.engine.deployment import Deployment
from loom.errors import EngineError, Problem

_RUNNERS: dict[str, type[Runner]] = {"native": Processes, "compose": Containers}


def inspect(deployment: Deployment, effects: Effects | None = None) -> Report:
    """What runs otherwise than it was rendered; EngineError when the engine itself does not answer."""
    effects = effects or _effects(deployment)
    runner = effects.runner
    evidence = gather(deployment, effects)
    inside = runner.source == Containers.source
    return Report(
        deployment.name,
        deployment.engine,
        judge.differences(evidence, runner.source),
        judge.asked(evidence, runner.source),
        judge.unasked(evidence, runner.unknown(files.texts(evidence.files)), inside=inside),
        judge.unreached(evidence),
    )


def _effects(deployment: Deployment) -> Effects:
    runner = _RUNNERS.get(deployment.engine)
    if runner is None:
        message = f"the engine {deployment.engine} runs no programs that were rendered: nothing can drift"
        raise EngineError(Problem(message, hint="loom-deploy up --engine native, or compose"))
    return Effects(runner(), DeployedPages(deployment))
