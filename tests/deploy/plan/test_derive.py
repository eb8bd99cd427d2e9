"""The plan: what is derived, and what is refused."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from loom.contract.attribute import Attribute
from loom.contract.metrics import ALL
from loom.deploy.plan import derive, remarks
from loom.deploy.plan.estimate import _distinct, loom_series
from loom.deploy.plan.finding import at, human, span
from loom.deploy.plan.model import Plan, Purpose, Service, Site
from loom.deploy.profile import load
from loom.deploy.profile.model import Profile, Workload
from loom.errors import PlanError, Problem


def planned(name: str, *overrides: str) -> Plan:
    return derive(load(name, overrides))


def accepted(name: str, *overrides: str) -> None:
    assert planned(name, *overrides).profile.name == name


def refused(name: str, *overrides: str) -> list[str]:
    with pytest.raises(PlanError) as caught:
        planned(name, *overrides)
    return [problem.path for problem in caught.value.problems]


def test_the_documented_ports_are_published_where_the_document_says() -> None:
    open_ones = {4317, 4318, 13133, 16686, 9090, 9093, 3000}
    for name, others in (("dev", {8889, 8888, 1777, 55679}), ("prod", set())):
        ports = {port.native: port for port in planned(name).ports if port.published}
        assert set(ports) == open_ones | others
        assert all(port.container == port.native for port in ports.values())


def test_the_documented_container_names_hold() -> None:
    assert [container.name for container in planned("prod").containers] == [
        "loom-otel-collector",
        "loom-jaeger",
        "loom-prometheus",
        "loom-alertmanager",
        "loom-grafana",
        "loom-proxy",
        "loom-canary",
    ]


def test_the_documented_limiter_follows_from_the_container_of_prod() -> None:
    plan = planned("prod")
    collector = plan.container(Service.COLLECTOR)
    assert (collector.memory_mib, collector.gomemlimit_mib) == (1280, 768)
    assert (plan.limiter.limit_mib, plan.limiter.spike_mib) == (1024, 256)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_no_two_services_share_a_port_on_one_machine(name: str) -> None:
    native = [port.native for port in planned(name).ports]
    assert len(native) == len(set(native))


def test_an_offset_moves_every_port_of_the_host_and_none_of_a_container() -> None:
    plain, moved = planned("prod"), planned("prod", "ports.offset=100")
    assert [port.native + 100 for port in plain.ports] == [port.native for port in moved.ports]
    assert [port.container for port in plain.ports] == [port.container for port in moved.ports]
    assert moved.address(Service.PROMETHEUS, Purpose.UI, Site.NATIVE) == "127.0.0.1:9190"
    assert moved.address(Service.PROMETHEUS, Purpose.UI, Site.COMPOSE) == "prometheus:9090"


def test_diagnostics_have_ports_only_when_they_are_asked_for() -> None:
    for purpose in (Purpose.PPROF, Purpose.ZPAGES):
        assert planned("dev").has(Service.COLLECTOR, purpose)
        assert not planned("prod").has(Service.COLLECTOR, purpose)


def test_the_collector_shows_metrics_only_where_they_are_fetched() -> None:
    for delivery, there in (("scrape", True), ("otlp", False)):
        plan = planned("dev", f"metrics.delivery={delivery}")
        assert plan.has(Service.COLLECTOR, Purpose.EXPORTER) == there
        assert (8889 in {port.native for port in plan.ports}) == there
        assert any(edge.purpose is Purpose.EXPORTER for edge in plan.edges) == there
    # Nor is its number kept from others.
    accepted("dev", "metrics.delivery=otlp", "ports.grafana=8889")
    assert refused("dev", "ports.grafana=8889") == ["$.ports.grafana"]


def test_what_is_kept_in_memory_has_no_volume() -> None:
    plan = planned("dev")
    assert plan.container(Service.JAEGER).volume == plan.container(Service.COLLECTOR).volume == ""
    # A volume of one letter would be taken for a drive.
    stateless = {Service.PROXY, Service.CANARY}
    kept = [one for one in planned("prod").containers if one.service not in stateless]
    assert all(len(container.volume) > 1 for container in kept)


def test_a_profile_of_defaults_only_works() -> None:
    assert remarks(derive(Profile(name="defaults"))) == ()


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_shipped_profiles_keep_metrics_for_their_whole_time(name: str) -> None:
    assert not [remark for remark in remarks(planned(name)) if "metrics" in remark.path]


def test_the_documented_password_is_remarked_in_production_until_a_secret_is_named() -> None:
    named = [remark for remark in remarks(planned("prod")) if "security" in remark.path]
    assert named == []


def test_production_in_which_nobody_would_hear_of_an_alert_is_remarked() -> None:
    assert [remark.path for remark in remarks(planned("prod"))] == [
        "$.alerting.receivers",
        "$.alerting.heartbeat",
    ]
    assert remarks(planned("dev")) == ()


def test_a_collector_in_production_that_a_flood_could_end_is_remarked() -> None:
    told = [str(remark) for remark in remarks(planned("prod", "collector.memory=319MiB"))]
    assert "a flood may need more than 319MiB" in told[0]
    for name, size in (("prod", "320MiB"), ("dev", "128MiB")):
        found = remarks(planned(name, f"collector.memory={size}", "collector.queue.size=1000"))
        assert not [remark for remark in found if "memory" in remark.path]


def test_a_size_that_is_reached_before_its_time_is_remarked_and_not_refused() -> None:
    found = remarks(planned("prod", "metrics.retention.size=20GB", "alerting.slo.window=14d"))
    assert found[0].path == "$.metrics.retention.size"
    assert "20GB are full after about 18.7 days" in found[0].message


def test_every_reason_is_given_at_once_each_at_its_value() -> None:
    paths = refused(
        "dev",
        "ports.grafana=9090",
        "collector.queue.size=9000000",
        "metrics.retention.size=5GB",
        "alerting.slo.window=30d",
        "environment=production",
    )
    assert sorted(paths) == [
        "$.alerting.slo.window",
        "$.collector.diagnostics",
        "$.collector.queue.size",
        "$.metrics.retention.size",
        "$.ports.grafana",
        "$.security.tls.mode",
    ]


def test_a_queue_that_just_fits_is_accepted() -> None:
    soft = (409 - 102) * 1024
    accepted("dev", f"collector.queue.size={soft}")
    assert refused("dev", f"collector.queue.size={soft + 1}") == ["$.collector.queue.size"]
    assert refused("dev", f"collector.queue.size={soft}", "metrics.delivery=otlp") == [
        "$.collector.queue.size"
    ]


def test_a_window_as_long_as_the_retention_is_accepted() -> None:
    accepted("dev", "alerting.slo.window=7d")
    assert refused("dev", "alerting.slo.window=8d") == ["$.alerting.slo.window"]


def test_four_values_in_a_rate_window_are_enough() -> None:
    accepted("dev", "metrics.scrape_interval=75s")
    assert refused("dev", "metrics.scrape_interval=76s") == ["$.metrics.scrape_interval"]


def test_a_production_by_another_name_is_held_to_the_same() -> None:
    assert sorted(refused("dev", "environment=prod")) == ["$.collector.diagnostics", "$.security.tls.mode"]
    accepted("dev", "environment=staging")


def test_a_plan_that_is_read_back_from_a_record_is_the_same() -> None:
    profile = planned("dev").profile
    again = Profile.model_validate_json(profile.model_dump_json())
    assert derive(again) == derive(profile)


def test_every_open_attribute_of_a_metric_has_an_estimate() -> None:
    opened: set[Attribute] = {key for metric in ALL for key in metric.attributes if not key.values}
    assert opened <= set(_distinct(Workload()))


def test_series_grow_with_what_is_in_use_and_never_beyond_the_budgets() -> None:
    small = Workload(topics=1, capabilities=1, tools=0, servers=0, agent_types=1)
    large = Workload(topics=200, capabilities=200, tools=200, servers=50, agent_types=50)
    assert loom_series(small) < loom_series(Workload()) < loom_series(large)
    assert loom_series(large) < sum(metric.cardinality * metric.series_per_set for metric in ALL)
    assert loom_series(Workload(processes=3)) == 3 * loom_series(Workload())


def test_nothing_is_sampled_and_nothing_is_stored_when_the_sampler_is_off() -> None:
    estimate = planned("prod", "tracing.sampler=always_off").estimate
    assert (estimate.spans_per_second, estimate.jaeger_bytes) == (0.0, 0)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1536, "1.5 KiB"), (50 * 2**30, "50 GiB"), (2**50, "1,024 TiB")],
)
def test_sizes_are_shown_with_three_digits(size: float, text: str) -> None:
    assert human(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30, "30 seconds"), (600, "10 minutes"), (86_400, "24 hours"), (10**10, "115,741 days")],
)
def test_spans_of_time_are_shown_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_what_is_wrong_with_a_base_s_value_names_the_profile_that_is_refused(tmp_path: Path) -> None:
    child = laid(tmp_path, "environment: staging\ntracing: {sampler: traceidratio=0.5}")
    [problem] = problems(child)
    assert (problem.file, problem.line, problem.path) == (
        str(tmp_path / "child.yaml"),
        4,
        "$.tracing.sampler",
    )
    assert re.search(r"profile child has tracing\.retention from \S+/prod\.yaml:9$", problem.message)
    for value in ("tracing.retention", "tracing.sampler", "workload.events_per_second", "volumes.jaeger"):
        assert value in problem.hint


def test_what_the_command_line_says_is_looked_at_before_the_profile(tmp_path: Path) -> None:
    child = laid(tmp_path, "environment: staging\ntracing: {sampler: traceidratio=0.2}")
    [problem] = problems(child, "workload.events_per_second=9000")
    assert (problem.file, problem.path) == ("--set", "$.workload.events_per_second")


def test_a_base_s_value_with_no_cause_in_the_profile_stays_where_it_is(tmp_path: Path) -> None:
    profile = load(laid(tmp_path, "environment: staging"))
    problem = at(profile, "tracing.retention", "is odd", "mend it", ("tracing.sampler",))
    assert problem.path == "$.tracing.retention"
    assert (Path(problem.file).name, problem.line, problem.hint) == ("prod.yaml", 9, "mend it")
    assert problem.message == "is odd; profile child has this value from here"


def test_a_value_of_the_profile_asked_for_is_named_without_more() -> None:
    assert at(load("prod"), "tracing.retention", "is odd", "", ("tracing.sampler",)).message == "is odd"


def test_a_default_that_does_not_go_with_what_was_written_is_shown_where_that_stands(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("name: own\nworkload:\n  events_per_second: 4000\n")
    [problem] = [one for one in problems(file) if one.path == "$.tracing.retention"]
    assert (problem.file, problem.line) == (str(file), 3)
    assert problem.message.endswith("; this follows from workload.events_per_second")


def test_a_default_with_no_cause_that_was_written_is_shown_at_the_name_of_the_profile(tmp_path: Path) -> None:
    profile = load(laid(tmp_path, "environment: staging"))
    problem = at(profile, "memory.canary", "is odd", "mend it", ("canary.interval",))
    assert (problem.path, problem.message, problem.hint) == ("$.memory.canary", "is odd", "mend it")
    assert (problem.file, problem.line) == (str(tmp_path / "child.yaml"), 2)
    inherited = at(profile, "memory.canary", "is odd", "mend it", ("tracing.retention",))
    # A base is in order: what the profile was refused for is not there.
    assert (inherited.file, inherited.line) == (str(tmp_path / "child.yaml"), 2)
    unwritten = at(Profile(name="defaults"), "memory.canary", "is odd")
    assert (unwritten.file, unwritten.path) == ("", "$.memory.canary")


PUSHED = ("metrics.naming=prometheus", "metrics.delivery=otlp")


@pytest.mark.parametrize("namespace", ["my_total", "total", "seconds_x"])
def test_a_namespace_that_prometheus_takes_for_a_suffix_is_refused_where_it_is_pushed_to(
    namespace: str,
) -> None:
    chosen = f"metrics.namespace={namespace}"
    assert refused("dev", chosen, *PUSHED) == ["$.metrics.namespace"]
    for one in PUSHED:
        accepted("dev", chosen, one)
    accepted("dev", "metrics.namespace=my_totals_2", *PUSHED)


def laid(folder: Path, sections: str) -> Path:
    """A profile that extends prod."""
    path = folder / "child.yaml"
    path.write_text(f"extends: prod\nname: child\n{sections}\n")
    return path


def problems(path: Path, *overrides: str) -> Sequence[Problem]:
    with pytest.raises(PlanError) as caught:
        derive(load(path, overrides))
    return caught.value.problems
