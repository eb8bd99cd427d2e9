"""What is refused of topologies and of sampling, at the place where it is written, and why."""

from collections.abc import Callable
from typing import Any

import pytest

from loom.deploy.plan import remarks
from loom.deploy.plan.model import Plan
from loom.errors import PlanError, Problem

OTLP = {"delivery": "otlp"}
TIERED = {"topology": "tiered"}
TAIL: dict[str, Any] = {"tail": {}}


def refused(planned: Callable[..., Plan], **document: object) -> list[Problem]:
    with pytest.raises(PlanError) as caught:
        planned(**document)
    return list(caught.value.problems)


def test_what_one_sampler_means_for_all_traces_is_remarked(shaped: Callable[..., Plan], shape: str) -> None:
    told = [one for one in remarks(shaped(shape)) if one.path == "$.collector.topology"]
    assert len(told) == (shape == "tiered")
    assert all("all traces wait" in one.message for one in told)


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a head ratio beside a tail that would never hear of what it drops": (
        {"tracing": {"sampler": "traceidratio=0.5", **TAIL}},
        "$.tracing.sampler",
        "the tail never hears",
    ),
    "a tail behind a sampler that keeps nothing": (
        {"tracing": {"sampler": "always_off", **TAIL}},
        "$.tracing.sampler",
        "the tail never hears",
    ),
    "tail sampling in several collectors that each see a part of a trace": (
        {"tracing": TAIL, "metrics": OTLP, "collector": {"topology": "gateway", "replicas": 2}},
        "$.collector.topology",
        "the part of a trace that they see",
    ),
    "two tiers without anything to decide": (
        {"metrics": OTLP, "collector": TIERED},
        "$.collector.topology",
        "tracing.tail is not there",
    ),
    "a gateway of one": (
        {"metrics": OTLP, "collector": {"topology": "gateway"}},
        "$.collector.replicas",
        "is single",
    ),
    "replicas of what there is one of": (
        {"metrics": OTLP, "collector": {"replicas": 2}},
        "$.collector.replicas",
        "while collector.topology is single",
    ),
    "several collectors scraped": (
        {"collector": {"topology": "gateway", "replicas": 2}},
        "$.metrics.delivery",
        "the last value it saw",
    ),
    "a split that is scraped": (
        {"collector": {"topology": "split"}},
        "$.metrics.delivery",
        "several collectors",
    ),
    "slow runs that are not over when they are judged": (
        {"tracing": {"tail": {"wait": "10s", "slow": "10s"}}},
        "$.tracing.tail.slow",
        "is not over when its trace is decided",
    ),
    "a wait after the root that never is the sooner one": (
        {"tracing": {"tail": {"wait": "30s", "after_root": "1m"}}},
        "$.tracing.tail.after_root",
        "is never sooner",
    ),
    "a tail that keeps everything": (
        {"tracing": {"tail": {"ratio": 1.0}}},
        "$.tracing.tail.ratio",
        "every trace",
    ),
    "a decision sooner than the first tick": (
        {"tracing": {"tail": {"wait": "500ms", "slow": None}}},
        "$.tracing.tail.wait",
        "once a second",
    ),
    "more undecided traces than memory": (
        {"tracing": {"tail": {"wait": "10m"}}, "workload": {"events_per_second": 200}},
        "$.tracing.tail.wait",
        "traces held for 10 minutes",
    ),
    "samplers without the memory for their part": (
        {
            "tracing": {"tail": {"wait": "1m"}},
            "metrics": OTLP,
            "collector": TIERED,
            "memory": {"sampler": "256MiB"},
            "workload": {"events_per_second": 500},
        },
        "$.tracing.tail.wait",
        "more than otel-sampler's memory",
    ),
    "a sampler too small to start": (
        {"tracing": TAIL, "metrics": OTLP, "collector": TIERED, "memory": {"sampler": "64MiB"}},
        "$.memory.sampler",
        "does not start",
    ),
    "a port of a replica that is taken": (
        {"metrics": OTLP, "collector": {"topology": "gateway", "replicas": 2}, "ports": {"grafana": 4442}},
        "$.ports.grafana",
        "otel-collector-2's own health",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused(case: str, planned: Callable[..., Plan]) -> None:
    document, path, words = CASES[case]
    problems = [problem for problem in refused(planned, **document) if problem.path == path]
    assert problems, case
    assert any(words in problem.message for problem in problems), problems
    assert all(problem.hint for problem in problems)


def test_memory_grows_with_the_wait_and_shrinks_with_each_sampler(planned: Callable[..., Plan]) -> None:
    def fits(wait: str, samplers: int) -> bool:
        document = {
            "tracing": {"tail": {"wait": wait}, "retention": "1h"},
            "metrics": OTLP,
            "collector": {**TIERED, "samplers": samplers},
            "workload": {"events_per_second": 500},
        }
        problems: list[Problem] = []
        try:
            planned(**document)
        except PlanError as error:
            problems += error.problems
        assert {problem.path for problem in problems} <= {"$.tracing.tail.wait"}
        return not problems

    assert fits("30s", 2)
    assert not fits("2m", 2)
    assert fits("2m", 9)
