"""Profiles with a few lines of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy import api
from loom.deploy.plan.model import Plan
from loom.errors import PlanError

METRICS = "metrics:\n  scrape_interval: 15s\n"


@pytest.fixture
def planned(tmp_path: Path) -> Callable[..., Plan]:
    """The plan of a base with lines of YAML on top."""

    def plan(text: str, base: str = "prod") -> Plan:
        file = tmp_path / "own.yaml"
        file.write_text(f"extends: {base}\nname: own\n{text}\n")
        return api.load_plan(file)

    return plan


@pytest.fixture
def refused(planned: Callable[..., Plan]) -> Callable[..., dict[str, str]]:
    """Path → message and hint, of everything that the plan refuses."""

    def problems(text: str, base: str = "prod") -> dict[str, str]:
        with pytest.raises(PlanError) as caught:
            planned(text, base)
        assert all(problem.hint for problem in caught.value.problems)
        return {problem.path: f"{problem.message} ({problem.hint})" for problem in caught.value.problems}

    return problems
