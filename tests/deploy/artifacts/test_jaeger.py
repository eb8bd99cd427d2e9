"""Jaeger's configuration: nothing is acknowledged that is not stored."""

from typing import Any

import pytest

from loom.deploy.artifacts import jaeger, parse
from loom.deploy.plan import Plan
from loom.deploy.profile.quantity import Duration


def test_jaeger_stores_before_it_acknowledges(plan: Plan) -> None:
    found: Any = parse(jaeger.artifacts(plan)[0])
    assert "processors" not in found
    assert "processors" not in found["service"]["pipelines"]["traces"]
    assert found["exporters"]["jaeger_storage_exporter"]["queue"] == {"enabled": False}


def test_storage_is_as_the_profile_says(plan: Plan) -> None:
    found: Any = parse(jaeger.artifacts(plan)[0])
    backend = found["extensions"]["jaeger_storage"]["backends"]["main"]
    if plan.profile.tracing.storage == "memory":
        assert backend == {"memory": {"max_traces": plan.profile.tracing.max_traces}}
    else:
        assert backend["badger"]["ttl"] == {"spans": jaeger.hours(plan.profile.tracing.retention)}
        assert backend["badger"]["ephemeral"] is False


@pytest.mark.parametrize(("text", "expected"), [("30d", "720h"), ("72h", "72h"), ("90m", "5400000ms")])
def test_a_duration_is_written_as_go_reads_it(text: str, expected: str) -> None:
    assert jaeger.hours(Duration.parse(text)) == expected
