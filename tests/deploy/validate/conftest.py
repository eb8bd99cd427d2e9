"""Rendered profiles, and the real programs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy import profile
from loom.deploy.artifacts import Artifact, render
from loom.deploy.plan import derive
from loom.deploy.validate import Programs, gather

PROFILES = Path(__file__).parents[3] / "profiles"


@pytest.fixture(scope="session")
def rendered() -> Callable[..., dict[str, Artifact]]:
    def make(name: str | Path, *overrides: str) -> dict[str, Artifact]:
        plan = derive(profile.load(name, overrides, PROFILES))
        return {artifact.path: artifact for artifact in render(plan)}

    return make


@pytest.fixture(scope="session")
def programs() -> Programs:
    return gather(os.environ)
