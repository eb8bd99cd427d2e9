"""Prometheus' configuration."""

from collections.abc import Callable
from typing import Any

import pytest

from loom.contract import foreign
from loom.deploy.artifacts import compose, parse, prometheus, protection
from loom.deploy.plan import Plan, derive
from loom.deploy.plan.model import Service, Site


def test_retention_exemplars_and_rules_are_in_the_file(plan: Plan) -> None:
    found: Any = parse(prometheus.artifacts(plan)[0])
    retention = plan.profile.metrics.retention
    tsdb = found["storage"]["tsdb"]
    assert tsdb["retention"] == {"time": str(retention.time), "size": str(retention.size)}
    assert found["storage"]["exemplars"]["max_exemplars"] > 0
    assert "--enable-feature=exemplar-storage" in prometheus.flags(plan, Site.COMPOSE)
    assert found["rule_files"] == ["prometheus/rules/*.yaml"]
    assert not any("retention" in flag for flag in prometheus.flags(plan, Site.COMPOSE))


@pytest.mark.parametrize("delivery", ["scrape", "otlp"])
def test_every_program_is_scraped_and_loom_by_one_way_only(
    plan_of: Callable[..., Plan], delivery: str
) -> None:
    plan = plan_of("prod", f"metrics.delivery={delivery}")
    found: Any = parse(prometheus.artifacts(plan)[0])
    jobs = {job["job_name"]: job for job in found["scrape_configs"]}
    assert (foreign.JOB_EXPORTER in jobs) == (delivery == "scrape")
    assert ("otlp" in found) == (delivery == "otlp")
    assert ("--web.enable-otlp-receiver" in prometheus.flags(plan, Site.COMPOSE)) == (delivery == "otlp")
    others = {foreign.JOB_COLLECTOR, foreign.JOB_JAEGER, foreign.JOB_PROMETHEUS, foreign.JOB_ALERTMANAGER}
    assert others <= set(jobs)
    # Only where the target speaks for others may it set their job and instance.
    assert [name for name, job in jobs.items() if job.get("honor_labels")] == (
        [foreign.JOB_EXPORTER] if delivery == "scrape" else []
    )


@pytest.mark.parametrize(("interval", "timeout"), [("5s", "5s"), ("10s", "10s"), ("1m", "10s")])
def test_a_scrape_is_given_up_before_the_next(
    plan_of: Callable[..., Plan], interval: str, timeout: str
) -> None:
    found: Any = parse(
        prometheus.artifacts(
            plan_of("prod", f"metrics.scrape_interval={interval}", "alerting.slo.window=7d")
        )[0]
    )
    assert found["global"]["scrape_timeout"] == timeout


def test_neither_lifecycle_nor_admin_api_is_opened(plan: Plan) -> None:
    assert not any("lifecycle" in flag or "admin" in flag for flag in prometheus.flags(plan, Site.COMPOSE))


@pytest.mark.parametrize(
    ("hosts", "host"),
    [((), "localhost"), (("loom.example", "10.0.0.5"), "loom.example"), (("fd00::5",), "[fd00::5]")],
)
@pytest.mark.parametrize("site", Site)
def test_links_of_notifications_lead_to_where_other_machines_reach_it(
    plan_of: Callable[..., Plan], hosts: tuple[str, ...], host: str, site: Site
) -> None:
    prod = plan_of("prod").profile
    security = prod.security.model_copy(update={"tls": prod.security.tls.model_copy(update={"hosts": hosts})})
    plan = derive(prod.model_copy(update={"security": security}))
    for service, port in ((Service.PROMETHEUS, 9090), (Service.ALERTMANAGER, 9093)):
        assert f"--web.external-url=https://{host}:{port}" in protection.flags(plan, service, site)
    found: Any = parse(compose.artifacts(plan)[0])
    assert found["services"]["grafana"]["environment"]["GF_SERVER_ROOT_URL"] == f"https://{host}:3000"
