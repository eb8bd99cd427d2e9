"""Profiles with several collectors, as documents, and what follows from them."""

from collections.abc import Callable
from typing import Any

import pytest

from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan
from loom.deploy.profile.model import Profile

SHAPES: dict[str, dict[str, Any]] = {
    "single": {},
    "gateway": {"replicas": 3},
    "split": {},
    "tiered": {"replicas": 2, "samplers": 3},
}


@pytest.fixture(scope="session")
def planned() -> Callable[..., Plan]:
    """The plan of a document; sections may be given whole."""

    def make(**document: object) -> Plan:
        return derive(Profile.model_validate({"name": "team", **document}))

    return make


@pytest.fixture(params=list(SHAPES))
def shape(request: pytest.FixtureRequest) -> str:
    """Each topology."""
    return str(request.param)


@pytest.fixture(scope="session")
def shaped(planned: Callable[..., Plan]) -> Callable[..., Plan]:
    """A plan of a topology, with everything that it needs."""

    def make(
        shape: str, *, delivery: str = "otlp", collector: dict[str, Any] | None = None, **more: object
    ) -> Plan:
        tracing = {"tail": {"wait": "20s"}} if shape == "tiered" else {}
        return planned(
            **{
                "collector": {"topology": shape, **SHAPES[shape], **(collector or {})},
                "metrics": {"delivery": delivery},
                "tracing": tracing,
                **more,
            }
        )

    return make
