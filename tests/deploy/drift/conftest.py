"""A deployment in memory that runs as it was rendered; tests change what its programs say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.contract import foreign
from loom.deploy.artifacts.render import render
from loom.deploy.drift.live import Difference, Effects, FakePages, FakeRunner, Page, Program, Report, inspect
from loom.deploy.drift.live import question as q
from loom.deploy.drift.live.evidence import Question
from loom.deploy.drift.live.supervised import wanted
from loom.deploy.engine import Deployment, Home
from loom.deploy.plan import derive
from loom.deploy.plan.model import Service
from loom.deploy.profile import load
from loom.deploy.writer import commit


@dataclass
class Case:
    """One deployment of the profile dev, as the native engine runs it."""

    deployment: Deployment
    runner: FakeRunner
    pages: FakePages = field(default_factory=FakePages)

    @property
    def rendered(self) -> Path:
        """Where its files lie."""
        return self.deployment.home.rendered

    def say(self, question: Question, body: object, status: int = 200) -> None:
        """Let a program answer."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.pages.answers[question] = Page(status, text, None if isinstance(body, str) else body)

    def configure(self, question: Question, document: Mapping[str, Any]) -> None:
        """Let Prometheus or Alertmanager run a configuration."""
        text = yaml.safe_dump(document)
        prometheus = question[0] is Service.PROMETHEUS
        version = {"version": self.deployment.plan.container(Service.ALERTMANAGER).program.version}
        body = (
            {"data": {"yaml": text}} if prometheus else {"config": {"original": text}, "versionInfo": version}
        )
        self.say(question, body)

    def edit(self, path: str, old: str, new: str) -> None:
        """Edit a rendered file by hand."""
        file = self.rendered / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    def run(self, service: str, **facts: Any) -> None:  # noqa: ANN401 - facts of any type
        """Let a program run otherwise; `__` stands for a space in the name of a fact."""
        program = self.runner.live[service]
        changed = {name.replace("__", " "): value for name, value in facts.items()}
        self.runner.live[service] = replace(program, facts={**program.facts, **changed})

    def inspect(self) -> Report:
        """Ask and judge."""
        return inspect(self.deployment, Effects(self.runner, self.pages))

    def only(self) -> Difference:
        """The one difference that there is."""
        [found] = self.inspect().differences
        return found


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Everything as rendered, and started after it was."""
    plan = derive(load("dev", ("collector.diagnostics=false",)))
    home = Home.of("paper", {"XDG_STATE_HOME": str(tmp_path)})
    artifacts = render(plan)
    commit(home.rendered, artifacts)
    programs = wanted({one.path: one.text for one in artifacts}, home)
    live = {name: Program(one.facts, started=4e9) for name, one in programs.items()}
    case = Case(Deployment(home, "native", plan), FakeRunner(programs, live))
    _answer(case)
    return case


def _answer(case: Case) -> None:
    plan, folder = case.deployment.plan, case.rendered
    version = {one.service: one.program.version for one in plan.containers}
    case.configure(q.PROMETHEUS, yaml.safe_load((folder / "native/prometheus.yml").read_text()))
    case.configure(q.ALERTMANAGER, yaml.safe_load((folder / "native/alertmanager.yml").read_text()))
    flags = case.runner.rendered["prometheus"].facts
    names = {key.removeprefix("argument --"): value for key, value in flags.items() if "argument" in key}
    case.say(q.FLAGS, {"data": names})
    case.say(q.RUNTIME, {"data": {"reloadConfigSuccess": True, "storageRetention": "1w or 2GiB"}})
    case.say(q.BUILD, {"data": {"version": version[Service.PROMETHEUS]}})
    case.say(q.RULES, {"data": {"groups": _groups(folder)}})
    queue = f'{foreign.QUEUE_CAPACITY.name}{{exporter="otlp_grpc/jaeger"}} 20000\n'
    for question in (q.COLLECTOR, q.JAEGER):
        info = f'target_info{{service_version="v{version[question[0]].lstrip("v")}"}} 1\n'
        case.say(question, info + (queue if question is q.COLLECTOR else ""))


def _groups(folder: Path) -> list[dict[str, Any]]:
    """The rendered rules as Prometheus answers them."""
    return [
        {
            "file": str(path),
            "name": group["name"],
            "interval": 5,
            "rules": [_rule(rule) for rule in group["rules"]],
        }
        for path in sorted((folder / "prometheus/rules").iterdir())
        for group in yaml.safe_load(path.read_text())["groups"]
    ]


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    held = rule.get("for", "0s")
    kept = rule.get("keep_firing_for", "0s")
    return {
        "name": rule.get("alert") or rule["record"],
        "query": rule["expr"].replace(" and ", "  and "),
        "duration": int(held[:-1]) * _SECONDS[held[-1]],
        "keepFiringFor": int(kept[:-1]) * _SECONDS[kept[-1]],
        "labels": rule.get("labels", {}),
        "annotations": rule.get("annotations", {}),
    }
