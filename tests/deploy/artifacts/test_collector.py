"""The collector's configuration: what must hold in every profile."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from loom.contract.resource import ENVIRONMENT
from loom.deploy.artifacts import collector, parse
from loom.deploy.plan import Plan

PROFILES = list(product(("dev", "prod"), ("scrape", "otlp"), ("memory", "disk"), ("", "loom")))


@pytest.fixture(params=PROFILES, ids="-".join)
def configuration(request: pytest.FixtureRequest, plan_of: Callable[..., Plan]) -> tuple[Plan, Any]:
    name, delivery, storage, namespace = request.param
    plan = plan_of(
        name,
        f"metrics.delivery={delivery}",
        f"collector.queue.storage={storage}",
        f"metrics.namespace={namespace}",
    )
    return plan, parse(collector.artifacts(plan)[0])


def test_memory_limiter_is_first_in_every_pipeline_with_the_limits_of_the_plan(
    configuration: tuple[Plan, Any],
) -> None:
    plan, found = configuration
    for pipeline in found["service"]["pipelines"].values():
        assert pipeline["processors"][0] == "memory_limiter"
    limiter = found["processors"]["memory_limiter"]
    assert (limiter["limit_mib"], limiter["spike_limit_mib"]) == (
        plan.limiter.limit_mib,
        plan.limiter.spike_mib,
    )


def test_every_component_is_used_and_every_used_one_exists(configuration: tuple[Plan, Any]) -> None:
    _, found = configuration
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in found["service"]["pipelines"].values() for name in pipeline[kind]}
        assert used == set(found[kind])
    assert set(found["service"]["extensions"]) == set(found["extensions"])


def test_there_is_no_batch_processor_no_debug_exporter_and_no_second_sampling(
    configuration: tuple[Plan, Any],
) -> None:
    _, found = configuration
    names = {name.partition("/")[0] for kind in ("processors", "exporters") for name in found[kind]}
    assert not names & {"batch", "debug", "logging", "probabilistic_sampler", "tail_sampling"}


def test_whatever_sends_over_the_network_queues_batches_and_retries(configuration: tuple[Plan, Any]) -> None:
    plan, found = configuration
    senders = [value for name, value in found["exporters"].items() if name.startswith("otlp")]
    disk = plan.profile.collector.queue.storage == "disk"
    for exporter in senders:
        queue = exporter["sending_queue"]
        assert (queue["sizer"], queue["queue_size"]) == ("items", plan.profile.collector.queue.size)
        assert queue.get("storage") == ("file_storage/queue" if disk else None)
        assert queue["batch"]["max_size"] < collector.MESSAGE_MIB * 2**20
        assert exporter["retry_on_failure"]["max_elapsed_time"] == ("0s" if disk else "300s")


def test_metrics_travel_one_way_only(configuration: tuple[Plan, Any]) -> None:
    plan, found = configuration
    exporters = found["service"]["pipelines"]["metrics"]["exporters"]
    expected = "prometheus" if plan.profile.metrics.delivery == "scrape" else "otlp_http/prometheus"
    assert exporters == [expected]


def test_own_telemetry_states_the_options_whose_defaults_change(configuration: tuple[Plan, Any]) -> None:
    _, found = configuration
    (reader,) = found["service"]["telemetry"]["metrics"]["readers"]
    prometheus = reader["pull"]["exporter"]["prometheus"]
    assert prometheus["port"] == 8888
    assert all(prometheus[f"without_{what}"] for what in ("type_suffix", "units", "scope_info"))


@pytest.mark.parametrize(("name", "expected"), [("dev", {"zpages", "pprof"}), ("prod", set())])
def test_zpages_and_pprof_are_off_in_prod(
    plan_of: Callable[..., Plan], name: str, expected: set[str]
) -> None:
    found: Any = parse(collector.artifacts(plan_of(name))[0])
    assert set(found["extensions"]) & {"zpages", "pprof"} == expected


def test_the_environment_is_the_collectors_variable_where_the_sdk_set_none(plan: Plan) -> None:
    found: Any = parse(collector.artifacts(plan)[0])
    (action,) = found["processors"]["resource"]["attributes"]
    assert action == {"key": ENVIRONMENT.name, "value": "${env:DEPLOYMENT_ENV}", "action": "insert"}


@pytest.mark.parametrize(("interval", "expected"), [("1s", "60s"), ("10s", "60s"), ("60s", "360s")])
def test_a_series_outlives_several_exports(
    plan_of: Callable[..., Plan], interval: str, expected: str
) -> None:
    assert collector.expiration(plan_of("dev", f"metrics.export_interval={interval}")) == expected
