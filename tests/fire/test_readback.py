"""What profiles/prod.yaml promises, read back from the running programs."""

import json

import pytest

from loom.contract import foreign
from loom.deploy.artifacts import jaeger
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.verify.client import connect, get
from tests.fire.stack import Stack

pytestmark = [pytest.mark.smoke, pytest.mark.slow]


def test_prometheus_keeps_thirty_days_or_fifty_gigabytes(stack: Stack) -> None:
    with connect(stack.plan.reached(Service.PROMETHEUS, Purpose.UI), stack.access) as client:
        said = get(client, "/api/v1/status/runtimeinfo", {})["data"]
    assert said["storageRetention"] == "30d or 50GiB"
    assert said["reloadConfigSuccess"] is True
    assert said["GOMEMLIMIT"] == stack.plan.container(Service.PROMETHEUS).gomemlimit_mib * 2**20


def test_the_collectors_queue_has_the_profiles_size_lies_on_disk_and_never_gives_up(stack: Stack) -> None:
    assert stack.plan.profile.collector.queue.size == 200_000
    assert stack.own_metrics().total(foreign.QUEUE_CAPACITY, "traces") == 200_000
    assert list((stack.home.data / Service.COLLECTOR).glob("exporter_otlp_grpc_jaeger_*")) != []
    exporter = stack.configuration()["exporters"]["otlp_grpc/jaeger"]
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
    assert exporter["sending_queue"]["storage"] in stack.configuration()["service"]["extensions"]


def test_metrics_that_are_pushed_have_such_a_queue_too(pushing: Stack) -> None:
    assert pushing.own_metrics().total(foreign.QUEUE_CAPACITY, "metrics") == 200_000
    exporter = pushing.configuration()["exporters"]["otlp_http/prometheus"]
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
    assert exporter["sending_queue"]["storage"] in pushing.configuration()["service"]["extensions"]


def test_the_collectors_limiter_says_the_plans_numbers(stack: Stack) -> None:
    [*_, line] = [
        one for one in stack.log(Service.COLLECTOR).splitlines() if "Memory limiter configured" in one
    ]
    said, limiter = json.loads(line[line.index("{") :]), stack.plan.limiter
    assert (said["limit_mib"], said["spike_limit_mib"]) == (limiter.limit_mib, limiter.spike_mib)


def test_jaeger_keeps_its_week_on_disk_and_acknowledges_only_what_it_has_stored(stack: Stack) -> None:
    configuration = stack.configuration(Service.JAEGER)
    store = configuration["extensions"]["jaeger_storage"]["backends"]["main"]["badger"]
    assert store["ttl"]["spans"] == jaeger.hours(stack.plan.profile.tracing.retention) == "168h"
    assert store["ephemeral"] is False
    assert list((stack.home.data / Service.JAEGER).rglob("*.vlog")) != []
    assert configuration["exporters"]["jaeger_storage_exporter"]["queue"] == {"enabled": False}
    assert "processors" not in configuration
