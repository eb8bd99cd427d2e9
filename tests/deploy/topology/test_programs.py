"""Every topology, with every way of delivery and protection, read by the programs that will run on it."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from loom.deploy.artifacts import render
from loom.deploy.artifacts.model import Check
from loom.deploy.plan.model import Plan
from loom.deploy.validate import gather, validate
from loom.deploy.validate.model import Outcome

PLAIN: dict[str, Any] = {}
MUTUAL = {"security": {"tls": {"mode": "mutual"}, "authentication": "basic"}}
TOKEN = {"security": {"tls": {"mode": "mutual", "minimum": "1.2"}, "ingestion": "token"}}
DISK = {"queue": {"storage": "disk"}, "diagnostics": True}
READ = {Check.OTELCOL, Check.CADDY, Check.COMPOSE, Check.PROMTOOL_CONFIG, Check.SUPERVISOR}


@pytest.mark.smoke
@pytest.mark.parametrize("protection", [PLAIN, MUTUAL, TOKEN], ids=["plain", "mutual", "token"])
def test_the_programs_accept_every_topology(
    shape: str, protection: dict[str, Any], shaped: Callable[..., Plan]
) -> None:
    accepted(shaped(shape, collector=DISK if protection is MUTUAL else {}, **protection))


@pytest.mark.smoke
@pytest.mark.parametrize("delivery", ["scrape", "otlp"])
def test_the_collector_accepts_tail_sampling_of_every_kind(
    delivery: str, shaped: Callable[..., Plan]
) -> None:
    tail = {
        "wait": "2m",
        "after_root": "20s",
        "slow": "90s",
        "rare": [{"agents": ["a", "b/c"], "spans_per_second": 5}, {"agents": ["d"], "ratio": 0.25}],
        "spans_per_second": 100,
    }
    accepted(shaped("single", delivery=delivery, tracing={"tail": tail}))
    accepted(shaped("single", delivery=delivery, tracing={"tail": {"slow": None, "ratio": 0.0}}))


def accepted(plan: Plan) -> None:
    artifacts = [artifact for artifact in render(plan) if artifact.check in READ]
    verdicts = validate(artifacts, gather(os.environ))
    assert len(verdicts) == len(artifacts)
    assert {verdict.outcome for verdict in verdicts} == {Outcome.ACCEPTED}, verdicts
