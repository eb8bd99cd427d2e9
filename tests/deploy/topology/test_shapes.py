"""What every topology renders: who listens where, who calls whom, and that no two replicas share anything."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.contract import canary, environment, foreign
from loom.deploy.artifacts import balancer, collector, compose, prometheus
from loom.deploy.artifacts import environment as dotenv
from loom.deploy.artifacts.documents import quickstart
from loom.deploy.artifacts.place import below
from loom.deploy.artifacts.supervisor import processes
from loom.deploy.engine import Deployment, EmbeddedEngine, Home
from loom.deploy.plan import topology
from loom.deploy.plan.identity import identities
from loom.deploy.plan.model import Method, Plan, Purpose, Service, Site
from loom.deploy.plan.summary import summarize

Shaped = Callable[..., Plan]
TLS = {"security": {"tls": {"mode": "mutual"}}}


def texts(plan: Plan) -> dict[str, str]:
    """Path → text of what a topology changes; the rest takes longer to render."""
    rooms = (collector, balancer, prometheus, dotenv, compose)
    return {artifact.path: artifact.text for room in rooms for artifact in room.artifacts(plan)}


def configured(plan: Plan, service: Service, site: Site = Site.NATIVE) -> dict[str, Any]:
    """A collector's own configuration."""
    path = below(site, collector.name(service, site))
    (text,) = (artifact.text for artifact in collector.artifacts(plan) if artifact.path == path)
    return dict(yaml.safe_load(text))


def variables(plan: Plan) -> dict[str, str]:
    lines = (line for line in texts(plan)[".env"].splitlines() if line and line[0] != "#")
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def listening(found: Mapping[str, Any]) -> set[str]:
    """Every address that a configuration listens at."""
    protocols = found["receivers"]["otlp"]["protocols"].values()
    extensions = (found["extensions"].get(name) for name in ("health_check", "zpages", "pprof"))
    reader = found["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]["prometheus"]
    rows = [*protocols, *(one for one in extensions if one), found["exporters"].get("prometheus", {})]
    return {str(row["endpoint"]) for row in rows if row} | {f"{reader['host']}:{reader['port']}"}


def called(found: Mapping[str, Any]) -> set[str]:
    """Every address that a configuration sends to."""
    exporters = found["exporters"]
    known = {"otlp_grpc/jaeger", "otlp_http/prometheus", "load_balancing/samplers", "prometheus"}
    assert set(exporters) <= known
    balanced = exporters.get("load_balancing/samplers", {})
    addresses = set(balanced.get("resolver", {}).get("static", {}).get("hostnames", ()))
    for name in ("otlp_grpc/jaeger", "otlp_http/prometheus"):
        if name in exporters:
            addresses.add(exporters[name]["endpoint"].removeprefix("https://").partition("/")[0])
    return addresses


def test_every_address_that_a_collector_listens_at_or_calls_is_in_the_edge_graph(
    shape: str, shaped: Shaped
) -> None:
    plan = shaped(shape, **TLS)
    for service in topology.collectors(plan.profile):
        found = configured(plan, service)
        own = [edge for edge in plan.edges if edge.service is service]
        assert listening(found) == {plan.listen(service, edge.purpose, Site.NATIVE) for edge in own}
        calls = [edge for edge in plan.edges if edge.source == service]
        assert called(found) == {plan.address(edge.service, edge.purpose, Site.NATIVE) for edge in calls}


def test_every_pipeline_begins_with_the_limiter_and_names_what_is_there(shape: str, shaped: Shaped) -> None:
    plan = shaped(shape)
    for service in topology.collectors(plan.profile):
        for site in Site:
            found = configured(plan, service, site)
            for pipeline in found["service"]["pipelines"].values():
                assert pipeline["processors"][0] == "memory_limiter"
                assert set(pipeline["processors"]) <= set(found["processors"])
                assert set(pipeline["exporters"]) <= set(found["exporters"])
            used = [name for one in found["service"]["pipelines"].values() for name in one["exporters"]]
            assert sorted(used) == sorted(found["exporters"])
            assert set(found["service"]["extensions"]) == set(found["extensions"])


def test_no_two_replicas_share_an_address_a_volume_an_identity_or_a_process(
    shape: str, shaped: Shaped
) -> None:
    plan = shaped(shape, collector={"queue": {"storage": "disk"}, "diagnostics": True}, **TLS)
    services = topology.collectors(plan.profile)
    native = [port.native for port in plan.ports]
    assert len(native) == len(set(native))
    volumes = [plan.container(one).volume for one in services]
    assert len(set(volumes)) == len(services)
    assert {one.name for one in identities(plan)} >= set(map(str, services))
    assert {one.service for one in processes(plan)} >= set(services)
    folders = [configured(plan, one)["extensions"]["file_storage/queue"]["directory"] for one in services]
    assert len(set(folders)) == len(services)
    units = yaml.safe_load(texts(plan)["docker-compose.observability.yaml"])["services"]
    assert {units[name]["user"] for name in services} == {"65534:65534"}
    mounts = [tuple(sorted(str(one["source"]) for one in units[name]["volumes"])) for name in services]
    assert len(set(mounts)) == len(services)
    assert {units[name]["container_name"] for name in services} == {f"loom-{name}" for name in services}


def test_prometheus_scrapes_each_replica_under_the_job_of_its_role(shape: str, shaped: Shaped) -> None:
    plan = shaped(shape)
    jobs = {
        Service.COLLECTOR: foreign.JOB_COLLECTOR,
        Service.METRICS: foreign.JOB_METRICS,
        Service.SAMPLER: foreign.JOB_SAMPLER,
    }
    for site, path in ((Site.COMPOSE, "prometheus.yml"), (Site.NATIVE, "native/prometheus.yml")):
        rows = yaml.safe_load(texts(plan)[path])["scrape_configs"]
        found = {row["job_name"]: row["static_configs"][0]["targets"] for row in rows}
        for role, job in jobs.items():
            own = [one for one in topology.collectors(plan.profile) if one.role is role]
            assert found.get(job, []) == [plan.address(one, Purpose.TELEMETRY, site) for one in own]


def test_everything_that_is_handed_on_to_is_started_before(shape: str, shaped: Shaped) -> None:
    plan = shaped(shape)
    order = [process.service for process in processes(plan)]
    for edge in plan.edges:
        if edge.source in order and edge.service in order and edge.purpose is Purpose.OTLP_GRPC:
            assert order.index(edge.service) < order.index(Service(edge.source)), edge.name


def test_loom_is_told_one_address_or_one_for_each_signal(shape: str, shaped: Shaped) -> None:
    plan = shaped(shape)
    told = variables(plan)
    if shape == "split":
        assert told[environment.TRACES.endpoint.name] == told[environment.ENDPOINT.name]
        assert told[environment.METRICS.endpoint.name] == plan.reached(Service.METRICS, Purpose.OTLP_GRPC)
        assert told[environment.METRICS.endpoint.name] != told[environment.ENDPOINT.name]
    else:
        assert told[environment.ENDPOINT.name] == f"http://127.0.0.1:{plan.profile.ports.otlp_grpc}"
        assert environment.TRACES.endpoint.name not in told
    assert told[environment.SAMPLER.name] == "always_on"


def test_quick_start_dotenv_and_the_embedded_engine_tell_the_same_addresses_and_those_are_published(
    shape: str, shaped: Shaped, tmp_path: Path
) -> None:
    plan = shaped(shape)
    text = quickstart.artifact(plan, ()).text
    exported = {
        name: value.replace("localhost", "127.0.0.1")
        for name, value in re.findall(r"^export (\w+)=(.*)$", text, re.MULTILINE)
        if name.endswith("_ENDPOINT")
    }
    assert exported == {name: value for name, value in variables(plan).items() if name.endswith("_ENDPOINT")}
    assert set(exported.values()) <= {
        plan.reached(port.service, port.purpose) for port in plan.ports if port.published
    }
    home = Home.of("team", {"XDG_STATE_HOME": str(tmp_path)})
    receiver, _ = EmbeddedEngine().status(Deployment(home, EmbeddedEngine.name, plan))
    assert receiver.url.replace("localhost", "127.0.0.1") == exported[environment.ENDPOINT.name]


def test_quick_start_names_the_logs_of_the_collectors_that_hand_on(shape: str, shaped: Shaped) -> None:
    plan = shaped(shape)
    text = quickstart.artifact(plan, ()).text
    named = re.findall(r"`docker logs loom-([\w-]+)` \| no line about `(\w+/\w+)`", text)
    assert [exporter for _, exporter in named] == ["otlp_grpc/jaeger", "otlp_http/prometheus"]
    for name, exporter in named:
        assert exporter in configured(plan, Service(name))["exporters"]


def test_a_plan_counts_the_volume_of_every_queue(shape: str, shaped: Shaped) -> None:
    kept, lost = (shaped(shape, collector={"queue": {"storage": where}}) for where in ("disk", "memory"))
    document = yaml.safe_load(texts(kept)["docker-compose.observability.yaml"])
    queues = [name for name in document["volumes"] if name.endswith("-queue")]
    assert len(queues) == len(topology.collectors(kept.profile))
    more = summarize(kept)["disk"] - summarize(lost)["disk"]
    assert more == len(queues) * kept.profile.volumes.collector.base


def test_what_takes_from_loom_is_published_and_what_stands_behind_it_is_not(
    shape: str, shaped: Shaped
) -> None:
    plan = shaped(shape, security={"tls": {"mode": "mutual"}, "hardened": True})
    shown = {port.service for port in plan.ports if port.published and port.purpose in topology.OTLP}
    assert shown == set(topology.entries(plan.profile))
    units = yaml.safe_load(texts(plan)["docker-compose.observability.yaml"])["services"]
    behind = set(topology.collectors(plan.profile)) - set(topology.entries(plan.profile))
    for name in behind:
        assert "ingest" not in units[name]["networks"]
    for name in topology.entries(plan.profile):
        assert "ingest" in units[name]["networks"]


def test_a_token_is_looked_at_by_each_collector_and_handed_on_by_the_balancer(shaped: Shaped) -> None:
    plan = shaped("gateway", security={"tls": {"mode": "mutual"}, "ingestion": "token"})
    text = texts(plan)[f"native/{balancer.NAME}"]
    assert "require_and_verify" not in text
    for service in topology.fronts(plan.profile):
        protocols = configured(plan, service)["receivers"]["otlp"]["protocols"]
        assert all(one["auth"] == {"authenticator": "bearertokenauth/ingest"} for one in protocols.values())
    assert all(
        edge.method is Method.TOKEN
        for edge in plan.edges
        if edge.service in topology.fronts(plan.profile) and edge.purpose in topology.OTLP
    )


def test_a_waiver_of_a_role_holds_for_its_replicas(shaped: Shaped) -> None:
    reason = "its own reader speaks no TLS; numbers only"
    names = ("otel-collector", "otel-sampler", "jaeger")
    waivers = [
        {"edge": f"prometheus -> {name}:telemetry", "reason": reason, "until": "2099-01-01"} for name in names
    ]
    plan = shaped("tiered", security={"tls": {"mode": "mutual"}, "waivers": waivers})
    edges = [edge for edge in plan.edges if edge.purpose is Purpose.TELEMETRY and edge.source == "prometheus"]
    assert len(edges) == 6
    assert all(edge.waiver for edge in edges)


@pytest.mark.parametrize("delivery", ["scrape", "otlp"])
def test_tail_sampling_works_in_a_single_collector_too(shaped: Shaped, delivery: str) -> None:
    plan = shaped("single", delivery=delivery, tracing={"tail": {}})
    found = configured(plan, Service.COLLECTOR)
    assert found["service"]["pipelines"]["traces"]["processors"][-1] == "tail_sampling"
    sampler = found["processors"]["tail_sampling"]
    assert [policy["name"] for policy in sampler["policies"]] == ["canary", "errors", "slow-runs", "rest"]
    assert sampler["policies"][0]["boolean_attribute"] == {"key": canary.CANARY.name, "value": True}
    assert sampler["num_traces"] * 10 == sampler["decision_cache"]["sampled_cache_size"]
    # What is decided cannot be given back: neither tail nor queue may drop for want of room.
    assert sampler["block_on_overflow"]
    assert found["exporters"]["otlp_grpc/jaeger"]["sending_queue"]["block_on_overflow"]


def test_a_limit_is_shared_among_the_samplers(shaped: Shaped) -> None:
    tail = {"spans_per_second": 900, "rare": [{"agents": ["auditor"], "ratio": 0.5, "spans_per_second": 30}]}
    plan = shaped("tiered", tracing={"tail": tail})
    policies = configured(plan, Service("otel-sampler-3"))["processors"]["tail_sampling"]["policies"]
    found = {
        one["name"]: {part["name"]: part for part in one["and"]["and_sub_policy"]}
        for one in policies
        if "and" in one
    }
    assert found["rest"]["limit"]["rate_limiting"]["spans_per_second"] == 300
    assert found["rare-1"]["limit"]["rate_limiting"]["spans_per_second"] == 10
    salts = {found[name]["share"]["probabilistic"]["hash_salt"] for name in ("rest", "rare-1")}
    assert len(salts) == 2


def test_a_replica_is_one_object_whoever_names_it() -> None:
    assert Service("otel-collector-2") is Service("otel-collector-2")
    assert Service("otel-collector-2").role is Service.COLLECTOR
    assert Service.SAMPLER.replicas(3)[-1] is Service("otel-sampler-3")
    assert [one.replica for one in Service.SAMPLER.replicas(3)] == [1, 2, 3]
    assert Service("otel-collector-2") not in list(Service)


@pytest.mark.parametrize(
    "name", ["otel-collector-1", "otel-collector-10", "otel-collector-02", "otel-collector-2-2"]
)
def test_what_no_replica_is_called_is_none(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Service(name)


def test_each_file_is_described_once(shape: str, shaped: Shaped) -> None:
    found = collector.artifacts(shaped(shape))
    assert all(one.description.endswith(".") for one in found)
    assert len({one.description for one in found}) == len(found)


def test_other_machines_reach_otlp_and_nothing_else_on_either_site(shape: str, shaped: Shaped) -> None:
    opened: dict[str, Any] = {
        "ports": {"ingest_bind": "0.0.0.0"},  # noqa: S104 - what is tested
        "security": {"tls": {"mode": "mutual", "hosts": ["loom.example"]}},
    }
    for plan, outside in ((shaped(shape, **opened), True), (shaped(shape, **TLS), False)):
        taking = {(one, purpose) for one in topology.entries(plan.profile) for purpose in topology.OTLP}
        assert {(port.service, port.purpose) for port in plan.ports if port.outside} == (
            taking if outside else set()
        )
        found = yaml.safe_load(texts(plan)[compose.NAME])["services"]
        bound = {port for one in found.values() for port in one.get("ports", ())}
        natives = {str(plan.port(*one).native) for one in taking}
        assert {port.split(":")[1] for port in bound if port.startswith("0.0.0.0:")} == (
            natives if outside else set()
        )
        for one in taking:
            host = "0.0.0.0" if outside else "127.0.0.1"  # noqa: S104 - what is tested
            assert plan.listen(*one, Site.NATIVE) == f"{host}:{plan.port(*one).native}"
        assert all(
            plan.listen(port.service, port.purpose, Site.NATIVE).startswith("127.0.0.1:")
            for port in plan.ports
            if not port.outside
        )


def test_garbage_is_collected_before_the_limiter_of_any_collector_refuses(shape: str, shaped: Shaped) -> None:
    plan = shaped(shape)
    for service in topology.collectors(plan.profile):
        told = configured(plan, service)["processors"]["memory_limiter"]
        assert plan.container(service).gomemlimit_mib == told["limit_mib"] - told["spike_limit_mib"]
