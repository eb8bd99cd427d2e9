"""Asking: files, programs and pages of a deployment, as evidence. Nothing is judged here."""

from dataclasses import dataclass

from loom.deploy.drift.live import files
from loom.deploy.drift.live.evidence import Evidence, Page, Program, Question
from loom.deploy.drift.live.pages import Pages
from loom.deploy.drift.live.question import questions, reachable
from loom.deploy.drift.live.runner import Runner
from loom.deploy.engine.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Effects:
    """The seams."""

    runner: Runner
    pages: Pages


def gather(deployment: Deployment, effects: Effects) -> Evidence:
    """All of it; EngineError when what runs the programs does not answer itself."""
    found = files.read(deployment)
    wanted = effects.runner.wanted(deployment, files.texts(found))
    running = effects.runner.running(deployment)
    return Evidence(
        deployment.plan,
        str(deployment.home.rendered),
        found,
        wanted,
        {service: program for service, program in running.items() if service in wanted},
        _asked(deployment, effects, running),
        {
            str(one): "not started by this engine here"
            for one in deployment.plan.services
            if one not in wanted
        },
    )


def _asked(deployment: Deployment, effects: Effects, running: dict[str, Program]) -> dict[Question, Page]:
    inside = effects.runner.source == "container"
    return {
        question: effects.pages.get(question)
        for question in questions(deployment.plan)
        if question[0] in running and reachable(deployment.plan, question, inside=inside)
    }
