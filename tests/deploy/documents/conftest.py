"""Rendered documents, of plans that differ in everything that documents depend on."""

from collections.abc import Callable

import pytest

from loom.deploy.artifacts import Artifact, render
from loom.deploy.plan import Plan, derive
from loom.deploy.profile import load

VARIANTS = {
    "dev": ("dev",),
    "prod": ("prod",),
    "open": ("prod", "environment=staging", "security.authentication=off"),
    "moved": ("dev", "ports.offset=1000", "metrics.namespace=loom", "metrics.delivery=otlp"),
    "suffixed": ("prod", "metrics.naming=prometheus", "security.ingestion=token"),
}


@pytest.fixture(scope="session", params=VARIANTS)
def plan(request: pytest.FixtureRequest) -> Plan:
    name, *overrides = VARIANTS[request.param]
    return derive(load(name, overrides))


@pytest.fixture(scope="session")
def rendered(plan: Plan) -> dict[str, Artifact]:
    """Path → artifact, all of the profile's."""
    return {artifact.path: artifact for artifact in render(plan)}


@pytest.fixture(scope="session")
def read(rendered: dict[str, Artifact]) -> Callable[[str], str]:
    """The text of a document by its name."""
    return lambda name: rendered[name].text
