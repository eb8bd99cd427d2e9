"""Alerts on metrics that leave: there exactly where something leaves, and right in the eyes of promtool."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy import api
from loom.deploy.artifacts import rules
from loom.deploy.artifacts.rules import outward
from loom.deploy.artifacts.rules.course import minutes
from loom.deploy.artifacts.rules.files import TESTS
from loom.deploy.drill import drilled
from loom.deploy.drill.rehearsal import narrowed
from loom.deploy.plan.longterm import BLOCK_SECONDS
from loom.deploy.plan.model import Plan
from loom.deploy.programs import PROMTOOL
from loom.deploy.toolchain import require

Planned = Callable[..., Plan]
REPOSITORY = Path(__file__).parents[3]
EVERYTHING = REPOSITORY / "bench" / "everything.yaml"
STORE = "remote_write: [{name: store, url: 'https://store.example/write', bearer_secret: store_token}]"
STORES = {"RemoteWriteRefused", "RemoteWriteBehind", "RemoteWriteTooSlow"}
BLOCKS = {"ThanosUploadsFailing", "ThanosBlocksLate", "ThanosStorageFailing", "ThanosCompactorHalted"}


def names(plan: Plan) -> set[str]:
    return {alert.name for alert in rules.alerts(plan)} & (STORES | BLOCKS)


def test_they_are_there_where_something_leaves_and_nowhere_else(planned: Planned) -> None:
    assert names(planned("")) == set()
    assert names(planned(f"metrics: {{{STORE}}}")) == STORES
    room = "volumes: {thanos: 500GB}"
    assert names(planned(f"metrics: {{longterm: {{thanos: {{}}}}}}\n{room}")) == BLOCKS


def test_a_store_is_missed_long_before_samples_are_lost() -> None:
    (behind,) = (one for one in rules.alerts(api.load_plan(EVERYTHING)) if one.name == "RemoteWriteBehind")
    assert f"> {outward.BEHIND}" in str(behind.expression)
    assert outward.BEHIND + 60 * minutes(behind.hold) < BLOCK_SECONDS / 4


@pytest.mark.smoke
def test_promtool_accepts_them_and_their_tests(tmp_path: Path) -> None:
    promtool = require(PROMTOOL)[PROMTOOL.name]
    plan = api.load_plan(EVERYTHING)
    for artifact in rules.artifacts(plan):
        file = tmp_path / artifact.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(artifact.text)
    tests = sorted((tmp_path / TESTS).glob("*.yaml"))
    asked = "".join(file.read_text() for file in tests)
    assert {name for name in STORES | BLOCKS if f"{name} fires:" in asked} == STORES | BLOCKS
    done = subprocess.run([promtool, "test", "rules", *tests], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.smoke
@pytest.mark.slow
@pytest.mark.parametrize("which", ["RemoteWrite", "Thanos"])
def test_every_small_mistake_in_them_is_noticed(which: str) -> None:
    command = [sys.executable, "-m", "tests.mutation", "--profile", str(EVERYTHING), "--alert", which]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "survived" not in done.stdout


def test_a_drill_writes_to_nobodys_store_and_keeps_no_blocks() -> None:
    plan = drilled(api.load_plan(EVERYTHING))
    text = "".join(artifact.text for artifact in api.artifacts(narrowed(plan)))
    assert "metrics.example.org" not in text
    assert "archive.example.org" not in text
    assert "thanos" not in {str(container.service).partition("-")[0] for container in plan.containers}
    assert names(plan) == set()
