"""The first slice, whole: profile, deployment, a run of Loom, and the proof, on the real programs."""

import os
import signal
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from loom.contract import metrics as m
from loom.contract.metric import Metric
from loom.contract.naming import Naming, Style
from loom.contract.promql import Queries
from loom.deploy.engine.processes import free
from loom.deploy.engine.readiness import native
from loom.deploy.plan.model import Purpose, Service
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow]

PATIENT = ("--timeout", "200")
"""For what must be found: a busy machine may take its time."""
BOTH = ("--component", "event_bus", "--component", "action_broker", *PATIENT)
"""What the example of this file uses."""

Stack = Any  # of conftest, which test modules cannot import


def tally(stack: Stack, naming: Naming, metric: Metric, service: str, by: str) -> dict[str, float]:
    """Label value → sum, of one service's metric."""
    rows = stack.ask(Queries(naming).where(job=service).value(metric, (by,)))
    return {labels[by]: value for labels, value in rows if value}


def published(stack: Stack, naming: Naming, service: str) -> float:
    rows = stack.ask(Queries(naming).where(job=service).value(m.event_bus.PUBLISHED))
    return rows[0][1] if rows else 0.0


def test_without_loom_verify_names_everything_that_is_missing(stack: Stack) -> None:
    done = stack.run("verify", "--profile", "dev", "--service", "nobody", "--timeout", "2")
    assert done.returncode == 1
    assert "nothing has arrived from Loom" in done.stderr
    for name in ("metric loom_event_bus_published_total", "span loom.action_broker/invoke", "exemplar"):
        assert f"{name} is missing" in done.stderr or f"{name} any histogram is missing" in done.stderr
    assert "target    prometheus" in done.stdout  # what is there is in the table all the same


def test_prometheus_has_the_numbers_that_the_example_says(stack: Stack) -> None:
    said = stack.example("loom-numbers")
    naming = Naming()
    bus, broker = m.event_bus, m.action_broker
    wanted = [
        said["published_by_qos"],
        said["dropped"],
        said["calls"],
        said["delivered"],
        said["cache_hits"],
    ]

    def shown() -> list[Any]:
        return [
            tally(stack, naming, bus.PUBLISHED, "loom-numbers", "qos"),
            tally(stack, naming, bus.DROPPED, "loom-numbers", "reason"),
            tally(stack, naming, broker.INVOCATIONS, "loom-numbers", "status"),
            sum(tally(stack, naming, bus.DELIVERED, "loom-numbers", "topic").values()),
            sum(tally(stack, naming, broker.CACHE_HITS, "loom-numbers", "capability").values()),
        ]

    # A scrape may come in the middle of an export.
    until(lambda: shown() == wanted, lambda: f"{shown()} instead of {wanted}")
    assert published(stack, naming, "loom-numbers") == said["published"]


def test_every_value_of_every_closed_set_arrives(stack: Stack) -> None:
    stack.example("loom-values")
    naming = Naming()
    wanted = {
        (metric, attribute.label): set(attribute.values)
        for metric in (*m.event_bus.ALL, *m.action_broker.ALL)
        for attribute in metric.attributes
        if attribute.values
    }

    def lacking() -> dict[str, set[str]]:
        found = {}
        for (metric, label), values in wanted.items():
            part = naming.all_series(metric)[-1]  # a histogram's count, everything else's value
            rows = stack.ask(Queries(naming).where(job="loom-values").value_of(part, (label,)))
            found[f"{metric.name} {label}"] = values ^ {labels[label] for labels, _ in rows}
        return {name: values for name, values in found.items() if values}

    until(lambda: not lacking(), lambda: f"{lacking()}")


def test_verify_proves_what_arrived(stack: Stack) -> None:
    stack.example("loom-proof")
    done = stack.run("verify", "--profile", "dev", "--service", "loom-proof", *BOTH)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("loom_event_bus_published_total", "loom.event_bus/publish", "leads to trace", "300 spans"):
        assert line in done.stdout


def test_verify_sees_a_runtime_that_samples_otherwise_than_the_profile_says(stack: Stack) -> None:
    stack.example("loom-tenth", OTEL_TRACE_SAMPLER="always_off")
    until(lambda: published(stack, Naming(), "loom-tenth"))
    done = stack.run("verify", "--service", "loom-tenth", "--timeout", "8")
    assert done.returncode == 1
    assert "span loom.event_bus/publish is missing" in done.stderr
    assert "OTEL_TRACE_SAMPLER" in done.stderr
    assert "metric loom_event_bus_published_total is missing" not in done.stderr


def test_verify_sees_another_environment_than_the_profiles(stack: Stack) -> None:
    stack.example("loom-stray", DEPLOYMENT_ENV="staging")
    until(lambda: published(stack, Naming(), "loom-stray"))
    done = stack.run("verify", "--service", "loom-stray", "--timeout", "8")
    assert done.returncode == 1
    assert "'staging', the profile says 'development'" in done.stderr


def test_a_killed_program_comes_back(stack: Stack) -> None:
    before = stack.pids()
    os.kill(before["prometheus"], signal.SIGKILL)
    until(lambda: stack.run("status").returncode == 0)
    after = stack.pids()
    assert after["prometheus"] != before["prometheus"]
    assert {name for name in before if before[name] != after[name]} == {"prometheus"}


def test_a_restart_loop_is_reported_with_its_last_words_and_up_mends_it(stack: Stack) -> None:
    (stack.engine.configuration(stack.home) / "alertmanager.yml").write_text("route: nonsense\n")
    os.kill(stack.pids()["alertmanager"], signal.SIGKILL)
    until(lambda: "dies again and again" in stack.run("status").stderr)
    done = stack.run("status")
    assert done.returncode == 1
    assert "last log lines of alertmanager" in done.stdout
    assert "nonsense" in done.stdout
    stack.up()
    done = stack.run("status")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("sets", "naming"),
    [
        (("metrics.namespace=loom",), Naming(namespace="loom")),
        (("metrics.delivery=otlp",), Naming()),
        (("metrics.delivery=otlp", "metrics.namespace=loom"), Naming(namespace="loom")),
        (("metrics.naming=prometheus",), Naming(Style.PROMETHEUS)),
        (("metrics.delivery=otlp", "metrics.naming=prometheus"), Naming(Style.PROMETHEUS)),
        (("tracing.sampler=traceidratio=0.1",), Naming()),
        (("tracing.storage=badger", "collector.queue.storage=disk"), Naming()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_running_deployment_follows_its_profile(
    stack: Stack, sets: tuple[str, ...], naming: Naming
) -> None:
    stack.up(*sets)
    service = "loom-" + "-".join(sets).replace("=", "-").replace(".", "-")
    ratio = "traceidratio=0.1" if "tracing.sampler=traceidratio=0.1" in sets else "always_on"
    said = stack.example(service, OTEL_TRACE_SAMPLER=ratio)
    until(lambda: published(stack, naming, service) == said["published"])
    other = Naming() if naming.namespace else Naming(namespace="loom")
    assert published(stack, other, service) == 0
    done = stack.run("verify", "--service", service, *BOTH)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ports_that_are_taken_are_named_and_nothing_is_started(stacks: Callable[[str], Stack]) -> None:
    stack = stacks("taken")
    port = stack.plan.port(Service.PROMETHEUS, Purpose.UI).native
    with socket.create_server(("127.0.0.1", port)):
        done = stack.run(
            "up",
            "--engine",
            stack.engine.name,
            "--name",
            "taken",
            "--set",
            f"ports.offset={stack.offset}",
            "--set",
            "collector.diagnostics=false",
        )
    assert done.returncode == 6
    assert f"port {port} (prometheus ui) is taken by pid {os.getpid()}" in done.stderr
    assert stack.pids() == {}


def test_two_deployments_side_by_side_do_not_see_each_others_telemetry(
    stack: Stack, stacks: Callable[[str], Stack]
) -> None:
    stack.up()
    other = stacks("other")
    other.up()
    other.example("loom-other")
    until(lambda: published(other, Naming(), "loom-other"))
    assert published(stack, Naming(), "loom-other") == 0
    assert other.run("verify", "--name", "other", *BOTH).returncode == 0
    done = stack.run("status")
    assert done.returncode == 2
    assert "dev, other" in done.stderr
    assert other.run("down", "--name", "other").returncode == 0
    assert other.pids() == {}
    assert stack.run("status", "--profile", "dev").returncode == 0


def test_logs_are_those_of_the_programs(stack: Stack) -> None:
    done = stack.run("logs", "otel-collector", "--lines", "200")
    assert done.returncode == 0
    assert "Everything is ready" in done.stdout
    assert {line.split("|")[0].strip() for line in done.stdout.splitlines()} == {"otel-collector"}


def test_down_leaves_no_process_and_no_port_and_twice_is_no_error(stack: Stack) -> None:
    assert set(Counter(stack.pids())) >= {"otel-collector", "jaeger", "prometheus", "alertmanager"}
    assert stack.run("down", "--profile", "dev").returncode == 0
    assert stack.pids() == {}
    assert all(free(port.native) for port in stack.plan.ports if port.service in native(stack.plan))
    done = stack.run("down", "--profile", "dev")
    assert (done.returncode, done.stdout) == (0, "dev: nothing was running\n")
    assert stack.run("status", "--profile", "dev").returncode == 4
    assert stack.engine.keeps(stack.home)
    stack.run("down", "--profile", "dev", "--volumes")
    assert not stack.engine.keeps(stack.home)
    assert not stack.home.data.exists()
