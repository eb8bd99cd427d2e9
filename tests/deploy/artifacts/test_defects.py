"""Each defect of the original compose, collector and Prometheus files has a test that would catch it."""

from typing import Any

import pytest

from loom.contract.metrics import ALL
from loom.deploy.artifacts import alertmanager, collector, compose, jaeger, parse, prometheus, rules
from loom.deploy.plan import Plan
from loom.deploy.plan.model import Purpose, Service

File = dict[str, Any]
DOCUMENTED_EXPORT_LAG = 30.0
"""Seconds: runtime, collector and scrape together."""


@pytest.fixture
def services(plan: Plan) -> dict[str, Any]:
    found: Any = parse(compose.artifacts(plan)[0])
    chosen: dict[str, Any] = found["services"]
    return chosen


@pytest.fixture
def collected(plan: Plan) -> File:
    found: Any = parse(collector.artifacts(plan)[0])
    chosen: File = found
    return chosen


@pytest.fixture
def scraped(plan: Plan) -> File:
    found: Any = parse(prometheus.artifacts(plan)[0])
    chosen: File = found
    return chosen


# docker-compose.observability.yaml


def test_no_image_floats(services: dict[str, Any]) -> None:
    for service in services.values():
        assert ":" in service["image"]
        assert not service["image"].endswith(":latest")


def test_jaeger_is_the_second_generation_and_nothing_of_the_first_is_left(
    plan: Plan, services: dict[str, Any]
) -> None:
    assert services["jaeger"]["image"].startswith("jaegertracing/jaeger:2.")
    text = compose.artifacts(plan)[0].text + prometheus.artifacts(plan)[0].text
    for old in ("all-in-one", "COLLECTOR_OTLP_ENABLED", "14250", "14269"):
        assert old not in text
    port = plan.port(Service.JAEGER, Purpose.TELEMETRY)
    assert port.container == 8888


def test_production_traces_survive_a_restart(plan: Plan) -> None:
    if plan.profile.environment == "production":
        found: Any = parse(jaeger.artifacts(plan)[0])
        assert "badger" in found["extensions"]["jaeger_storage"]["backends"]["main"]


def test_grafana_fetches_no_plugin_at_start(services: dict[str, Any]) -> None:
    told = [name for name in services["grafana"]["environment"] if "PLUGINS" in name]
    assert not [name for name in told if "CHECK" not in name and "DISABLED" not in name]


def test_services_wait_for_each_other_and_are_checked_where_they_can_be(services: dict[str, Any]) -> None:
    assert services["otel-collector"]["depends_on"]
    assert {name for name, service in services.items() if "healthcheck" in service} == {
        "prometheus",
        "alertmanager",
        "grafana",
        "probe",
    }
    # The two whose images hold nothing that could ask are asked by the probe.
    asked = " ".join(services["probe"]["healthcheck"]["test"])
    assert all(f"://{name}:" in asked for name in ("otel-collector", "jaeger"))


def test_every_container_has_limits_and_drops_capabilities(services: dict[str, Any]) -> None:
    for service in services.values():
        assert service["mem_limit"]
        assert service["cap_drop"] == ["ALL"]
        assert service["logging"]["options"]["max-size"]


def test_no_port_is_open_to_the_world_and_the_lifecycle_api_is_closed(
    plan: Plan, services: dict[str, Any]
) -> None:
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert "lifecycle" not in compose.artifacts(plan)[0].text


def test_nothing_is_scraped_that_nobody_serves(plan: Plan, scraped: File) -> None:
    served = {f"{port.service}:{port.container}" for port in plan.ports}
    for job in scraped["scrape_configs"]:
        assert set(job["static_configs"][0]["targets"]) <= served


def test_no_two_ports_collide(plan: Plan) -> None:
    native = [port.native for port in plan.ports]
    assert len(native) == len(set(native))


# otel-collector-config.yaml


def test_the_environment_comes_from_the_environment_under_the_newer_key(collected: File) -> None:
    (action,) = collected["processors"]["resource"]["attributes"]
    assert action["key"] == "deployment.environment.name"
    assert action["value"].startswith("${env:")
    assert "from_attribute" not in action


def test_the_compose_file_gives_the_collector_that_variable(plan: Plan, services: dict[str, Any]) -> None:
    environment = services["otel-collector"]["environment"]
    assert environment["DEPLOYMENT_ENV"] == f"${{DEPLOYMENT_ENV:-{plan.profile.environment}}}"


def test_no_series_has_a_doubled_prefix(plan: Plan, collected: File) -> None:
    assert collected["exporters"]["prometheus"]["namespace"] == ""
    names = [series.name for metric in ALL for series in plan.naming.all_series(metric)]
    assert not any(name.startswith("loom_loom_") for name in names)


def test_labels_come_from_the_resource_and_exemplars_can_travel(collected: File) -> None:
    exporter = collected["exporters"]["prometheus"]
    assert "const_labels" not in exporter
    assert exporter["resource_constant_labels"] == {"included": ["deployment.environment.name"]}
    assert exporter["enable_open_metrics"] is True
    assert exporter["metric_expiration"]


def test_no_debug_output_and_no_detailed_telemetry(collected: File) -> None:
    assert "debug" not in collected["exporters"]
    assert collected["service"]["telemetry"]["metrics"]["level"] == "normal"


def test_sampling_is_decided_once(collected: File) -> None:
    assert not any("sampl" in name for name in collected["processors"])


def test_a_measurement_is_shown_soon(plan: Plan, collected: File) -> None:
    assert "batch" not in collected["processors"]
    metrics = plan.profile.metrics
    assert metrics.export_interval.seconds + metrics.scrape_interval.seconds <= DOCUMENTED_EXPORT_LAG


def test_pprof_is_published_where_it_is_on_and_off_in_production(
    plan: Plan,
    collected: File,
    services: dict[str, Any],
) -> None:
    on = "pprof" in collected["extensions"]
    published = any(port.endswith(":1777") for port in services["otel-collector"]["ports"])
    assert on == published
    assert not (on and plan.profile.environment == "production")


def test_the_number_of_label_values_is_bounded() -> None:
    unbounded = [
        f"{metric.name} {attribute.name}"
        for metric in ALL
        for attribute in metric.attributes
        if not attribute.limit
    ]
    assert unbounded == []
    assert not any(
        attribute.name in {"agent_id", "event_type", "event_id", "version", "message"}
        for metric in ALL
        for attribute in metric.attributes
    )


# prometheus.yml


def test_jobs_are_called_what_they_are_and_stamp_no_service_on_others(scraped: File) -> None:
    for job in scraped["scrape_configs"]:
        assert "labels" not in job["static_configs"][0]
        assert not job["job_name"].startswith("loom")
    (exporter,) = [job for job in scraped["scrape_configs"] if job["job_name"].endswith("exporter")]
    assert exporter["honor_labels"] is True


def test_rules_and_alertmanager_are_loaded_and_retention_is_stated(plan: Plan, scraped: File) -> None:
    assert scraped["rule_files"]
    assert scraped["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["alertmanager:9093"]
    assert scraped["storage"]["tsdb"]["retention"]
    assert rules.artifacts(plan)
    assert alertmanager.artifacts(plan)


def test_up_has_a_word_about_every_program_but_grafana(plan: Plan) -> None:
    # Grafana runs in the compose engine only; its health check speaks for it there. The proxy is looked at by
    # the canary, which goes through it.
    spoken_for = {Service.GRAFANA, Service.PROXY}
    assert {target.service for target in prometheus.targets(plan)} == set(plan.services) - spoken_for
