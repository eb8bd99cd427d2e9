"""Mutants before the real promtool, with the tests that a profile renders.

All mutants of an alert stand in one rule file, each under a name of its own, and its tests are asked of every
one of them: what takes time is to start promtool and to fill its storage, not to evaluate a rule more.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from loom.deploy.artifacts import rules
from loom.deploy.plan import Plan
from loom.deploy.programs import PROMTOOL
from loom.deploy.toolchain import require
from tests.mutation.mutant import Mutant, Rule

Document = dict[str, Any]
DEADLINE = 120.0
"""Seconds for all mutants of one alert."""
_ASKED = re.compile(r'expr: "ALERTS\{alertname=\\"\w+?__(\d+)\\"')
_UNANSWERED = re.compile(r"rule: \w+?__(\d+), time: .*, err: ")


@dataclass(frozen=True, slots=True)
class Subject:
    """One alert as rendered, and its own rendered tests."""

    rule: Rule
    tests: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mutant, and whether a test failed."""

    mutant: Mutant
    killed: bool


class BrokenTrialError(Exception):
    """promtool could not judge: a mutant that is no PromQL, or a test that fails on the original."""


def subjects(plan: Plan) -> Iterator[Subject]:
    """Every alert of a plan."""
    files = {artifact.path: yaml.load(artifact.text, yaml.CSafeLoader) for artifact in rules.artifacts(plan)}
    tests = [test for path, file in files.items() if "/tests/" in path for test in file["tests"]]
    groups = [group for path, file in files.items() if "/rules/" in path for group in file["groups"]]
    for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
        yield Subject(rule, tuple(_own(rule["alert"], tests)))


def _own(alert: str, tests: Iterable[Document]) -> Iterator[Document]:
    for test in tests:
        asked = [one for one in test["promql_expr_test"] if f'alertname="{alert}"' in one["expr"]]
        if asked:
            yield {**test, "promql_expr_test": asked}


class Trial:
    """Runs promtool, as many at once as there are processors."""

    def __init__(self, folder: Path, jobs: int = 0) -> None:
        """Take a folder for the files of the runs."""
        self._folder = folder
        self._jobs = jobs or os.cpu_count() or 1
        self._promtool = require(PROMTOOL, environ=os.environ)[PROMTOOL.name]

    def run(self, wanted: Iterable[tuple[Subject, Sequence[Mutant]]]) -> list[Outcome]:
        """An outcome for each mutant; BrokenTrialError when an original fails its own tests."""
        with ThreadPoolExecutor(self._jobs) as pool:
            found = pool.map(lambda pair: self._judge(*pair), wanted)
            return [outcome for outcomes in found for outcome in outcomes]

    def _judge(self, subject: Subject, mutants: Sequence[Mutant]) -> list[Outcome]:
        rules = [subject.rule, *(mutant.rule for mutant in mutants)]
        killed: set[int] = set()
        while fresh := self._failing(subject, [n for n in range(len(rules)) if n not in killed], rules):
            killed |= fresh[0]
            if not fresh[1]:
                break
        if 0 in killed:
            message = f"{subject.rule['alert']} fails its own tests"
            raise BrokenTrialError(message)
        return [Outcome(mutant, number in killed) for number, mutant in enumerate(mutants, 1)]

    def _failing(
        self, subject: Subject, numbers: Sequence[int], rules: Sequence[Rule]
    ) -> tuple[set[int], bool]:
        """Which of the rules fail a test; and whether to ask again, since promtool gave up early."""
        said = self._ask(
            [{**rules[number], "alert": f"{rules[number]['alert']}__{number}"} for number in numbers],
            [_asking(test, subject.rule["alert"], numbers) for test in subject.tests],
        )
        unanswered = {int(number) for number in _UNANSWERED.findall(said)}
        return {int(number) for number in _ASKED.findall(said)} | unanswered, bool(unanswered)

    def _ask(self, rules: Sequence[Rule], tests: Sequence[Document]) -> str:
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            _write(folder / "rules.yaml", {"groups": [{"name": "mutants", "rules": list(rules)}]})
            document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": list(tests)}
            _write(folder / "tests.yaml", document)
            command = [str(self._promtool), "test", "rules", str(folder / "tests.yaml")]
            # Its storage lies beside the files.
            environment = {**os.environ, "TMPDIR": name}
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=DEADLINE, env=environment
            )
        said = done.stdout + done.stderr
        if done.returncode and not (_ASKED.search(said) or _UNANSWERED.search(said)):
            raise BrokenTrialError(said)
        return said


def _asking(test: Document, alert: str, numbers: Sequence[int]) -> Document:
    """The same test, of every rule instead of the one."""
    asked = [
        {
            **one,
            "expr": _renamed(one["expr"], alert, number),
            "exp_samples": [
                {**sample, "labels": _renamed(sample["labels"], alert, number)}
                for sample in one["exp_samples"]
            ],
        }
        for one in test["promql_expr_test"]
        for number in numbers
    ]
    return {**test, "promql_expr_test": asked}


def _renamed(text: str, alert: str, number: int) -> str:
    return text.replace(f'alertname="{alert}"', f'alertname="{alert}__{number}"')


def _write(path: Path, document: Document) -> None:
    # JSON is YAML, and much faster to write.
    path.write_text(json.dumps(document))
