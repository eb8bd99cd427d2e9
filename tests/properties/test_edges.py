"""What holds of the edge graph of every profile that has a plan, and of all that is rendered from it."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import find, given, settings
from hypothesis import strategies as st

from loom.contract import canary
from loom.deploy.artifacts import Artifact, render
from loom.deploy.plan import derive, topology
from loom.deploy.plan.edges import LOOM, OPERATOR, PROBE
from loom.deploy.plan.identity import CA, CERTIFICATE, KEY, identities, owner, secrets
from loom.deploy.plan.model import Edge, Method, Network, Plan, Purpose, Service, Site
from loom.deploy.plan.outward import every
from loom.deploy.plan.summary import summarize
from loom.deploy.profile import load
from loom.deploy.profile.model import Profile
from loom.errors import PlanError
from tests.properties.test_profiles import (
    UNSHRUNK,
    Document,
    hosts,
    names,
    planned,
    profiles,
    section,
)

FEW = settings(max_examples=12)
"""Each renders everything."""
REASON = "it speaks no TLS; numbers only, on an internal network"
LOOPBACK = {"127.0.0.1", "localhost"}
COMPOSE = "docker-compose.observability.yaml"
# Whoever is written to, or asked, elsewhere proves itself by what others gave us.
elsewhere = st.builds(
    lambda name: {
        "name": name,
        "url": "https://store.example/api/v1/write",
        "basic": {"user": "us", "password_secret": f"{name.replace('-', '_')}_pass"},
    },
    names,
)
_PARTIES = {*map(str, Service), LOOM, OPERATOR, PROBE, "authority"}
callers = names.filter(lambda name: name not in _PARTIES and not re.fullmatch(r".*-[2-9]", name))


@st.composite
def shapes(draw: st.DrawFn) -> tuple[Document, Document, Document]:
    """Collectors that fit together, and the sections `collector`, `metrics` and `tracing` of them."""
    topology_ = draw(st.sampled_from(["single", "gateway", "split", "tiered"]))
    least, most = {"gateway": (2, 3), "tiered": (1, 3)}.get(topology_, (1, 1))
    replicas = draw(st.integers(least, most))
    collector: Document = {"topology": topology_, "replicas": replicas, "memory": "2GiB"}
    if topology_ == "tiered":
        collector["samplers"] = draw(st.integers(1, 3))
    collector["queue"] = draw(section(storage=st.sampled_from(["memory", "disk"])))
    # Of several collectors each would show its own last value.
    ways = ["scrape", "otlp"] if topology_ == "single" else ["otlp"]
    metrics: Document = {"delivery": draw(st.sampled_from(ways))}
    tailed = topology_ == "tiered" or (topology_ != "gateway" and draw(st.booleans()))
    tail = {"wait": "5s", "slow": "3s", "ratio": 0.5} if tailed else None
    return collector, metrics, {"sampler": "always_on", "tail": tail, "storage": draw(_STORAGES)}


_STORAGES = st.sampled_from(["memory", "badger"])


@st.composite
def systems(draw: st.DrawFn) -> Document:
    """Profiles of any environment that have a plan, small enough for every disk."""
    collector, metrics, tracing = draw(shapes())
    guarded = draw(st.booleans())
    metrics |= draw(section(naming=st.sampled_from(["documented", "prometheus"])))
    metrics["remote_write"] = draw(st.lists(elsewhere, max_size=1))
    if draw(st.booleans()):
        metrics["longterm"] = {"thanos": {"retention": {"raw": "60d"}}}
    if guarded:
        metrics["federation"] = {"callers": draw(st.lists(callers, max_size=2, unique=True))}
    return {
        "name": "team",
        "environment": "staging",
        "collector": collector,
        "metrics": metrics,
        "tracing": tracing,
        "memory": {"prometheus": "4GiB", "jaeger": "4GiB", "sampler": "2GiB"},
        "volumes": {"prometheus": "50GB", "jaeger": "900GB", "collector": "50GB", "thanos": "900GB"},
        "workload": {"events_per_second": 1},
        "canary": {"enabled": draw(st.booleans())},
        "alerting": {"receivers": draw(st.sampled_from([[], [{"name": "hook", "url_secret": "hook_url"}]]))},
        "security": draw(protections()) if guarded else {"hardened": draw(st.booleans())},
    }


@st.composite
def protections(draw: st.DrawFn) -> Document:
    """The section `security` of what is protected."""
    return {
        "tls": {
            "mode": "mutual",
            "minimum": draw(st.sampled_from(["1.2", "1.3"])),
            "hosts": draw(st.lists(hosts, max_size=2)),
        },
        "ingestion": draw(st.sampled_from(["certificate", "token"])),
        "authentication": "basic",
        "hardened": draw(st.booleans()),
    }


@st.composite
def productions(draw: st.DrawFn) -> Document:
    """The same for production: what cannot be protected is waived, by name."""
    document = draw(systems())
    document |= {"environment": "production", "security": draw(protections())}
    plan = derive(Profile.model_validate(document | {"environment": "staging"}))
    bare = dict.fromkeys(
        f"{edge.source} -> {edge.service.role}:{edge.purpose}" for edge in plan.edges if not edge.protected
    )
    assert all(edge.endswith(":telemetry") for edge in bare), bare  # all else can be protected
    document["security"]["waivers"] = [
        {"edge": edge, "reason": REASON, "until": "2027-05-31"} for edge in bare
    ]
    return document


SYSTEMS, PRODUCTIONS = systems(), productions()
EITHER = SYSTEMS | PRODUCTIONS


def plan_of(document: Document) -> Plan:
    """The plan, which there must be."""
    return derive(Profile.model_validate(document))


@pytest.mark.parametrize("topology_", ["single", "gateway", "split", "tiered"])
def test_the_strategy_reaches_every_topology_with_and_without_protection(topology_: str) -> None:
    def of(document: Document) -> bool:
        return bool(document["collector"]["topology"] == topology_)

    find(PRODUCTIONS, lambda document: of(document) and "longterm" in document["metrics"], settings=UNSHRUNK)
    find(SYSTEMS, lambda document: of(document) and "tls" not in document["security"], settings=UNSHRUNK)


@given(PRODUCTIONS)
def test_in_production_every_edge_is_protected_or_waived_with_a_reason_and_a_day(document: Document) -> None:
    plan = plan_of(document)
    shown = {row["edge"]: row for row in summarize(plan)["edges"]}
    for edge in every(plan):
        if edge.protected:
            assert edge.encrypted
            assert edge.method is not Method.NONE
            continue
        assert edge.waiver, edge.name
        assert edge.waiver.reason == REASON
        date.fromisoformat(edge.waiver.until)
        assert edge.waiver.reason in shown[edge.name]["waiver"]
        assert edge.waiver.until in shown[edge.name]["waiver"]


@given(productions(), st.data())
def test_without_its_waiver_an_edge_that_cannot_be_protected_is_refused_by_name(
    document: Document, data: st.DataObject
) -> None:
    waivers = document["security"]["waivers"]
    gone = data.draw(st.sampled_from(waivers))
    document["security"]["waivers"] = [waiver for waiver in waivers if waiver is not gone]
    _, problems = planned(document)
    assert problems
    assert all(gone["edge"].partition(":")[0] in problem.message for problem in problems)


@given(profiles)
def test_a_random_profile_of_production_is_protected_or_has_no_plan(document: Document) -> None:
    plan, _ = planned(document)
    if plan and plan.profile.environment == "production":
        assert all(edge.protected or edge.waiver for edge in every(plan))


def parties(plan: Plan) -> set[str]:
    """Everybody who calls or is called, and Loom."""
    ends = {end for edge in plan.edges for end in (edge.source, str(edge.service))}
    return ends | {str(service) for service in plan.services} | {LOOM}


@given(EITHER)
def test_edges_are_between_parties_and_each_is_there_once(document: Document) -> None:
    plan = plan_of(document)
    outside = {LOOM, OPERATOR, PROBE, *plan.profile.metrics.federation.callers}
    containers = {str(service) for service in plan.services}
    assert len({edge.name for edge in plan.edges}) == len(plan.edges)
    for edge in plan.edges:
        assert edge.source in containers | outside
        assert edge.service in plan.services
        assert plan.has(edge.service, edge.purpose)
    # Of one port all edges agree about TLS, or half of its callers could not speak to it.
    for port in plan.ports:
        kinds = {edge.encrypted for edge in plan.edges if (edge.service, edge.purpose) == port_of(port)}
        assert len(kinds) <= 1


def port_of(port: Any) -> tuple[Service, Purpose]:  # noqa: ANN401 - a Port, or an Edge
    return port.service, port.purpose


@given(EITHER)
@FEW
def test_every_address_that_is_rendered_is_on_an_edge_of_whoever_calls_it(document: Document) -> None:
    plan = plan_of(document)
    between = {(edge.source, edge.service, edge.purpose) for edge in plan.edges}
    for site, source, text in told(plan):
        for service, purpose in called(plan, site, text):
            if service == source and (service, purpose) not in {port_of(edge) for edge in plan.edges}:
                continue  # where it listens itself
            assert service == source or (source, service, purpose) in between, (source, service, purpose)


FILES = {
    "prometheus.yml": Service.PROMETHEUS,
    "alertmanager.yml": Service.ALERTMANAGER,
    "jaeger.yaml": Service.JAEGER,
    "Caddyfile": Service.PROXY,
    "balancer.Caddyfile": Service.BALANCER,
    "loom.yaml": Service.GRAFANA,
    "http.yml": None,
    ".env": LOOM,
}


WATCHED = re.compile(rf"{canary.WATCH.name}[:=]\W*([\w.:=,-]*)")
"""Ports whose certificate the canary looks at without a word to them."""


@given(PRODUCTIONS)
@FEW
def test_the_canary_is_on_a_network_of_whoever_it_only_looks_at(document: Document) -> None:
    plan = plan_of(document)
    seen = {match for site, _, text in told(plan, whole=True) for match in WATCHED.findall(text)}
    assert bool(seen) == plan.profile.canary.enabled
    for watched in (entry.rpartition("=")[2] for entries in seen for entry in entries.split(",")):
        assert set(networks_of(plan, str(Service.CANARY))) & set(networks_of(plan, watched)), watched


def told(plan: Plan, *, whole: bool = False) -> Iterator[tuple[Site, str, str]]:
    """(site, who reads it, text) of all that says whom to call; `whole` with what is only looked at."""
    for site, source, text in _told(plan):
        yield site, source, text if whole else WATCHED.sub("", text)


def _told(plan: Plan) -> Iterator[tuple[Site, str, str]]:
    for artifact in render(plan):
        path = PurePosixPath(artifact.path)
        site = Site.NATIVE if path.parts[0] == "native" else Site.COMPOSE
        if path.name.startswith("otel-") and path.name.endswith("-config.yaml"):
            name = path.name.removesuffix("-config.yaml")
            for one in topology.collectors(plan.profile):
                if name == (one if site is Site.NATIVE else one.role):
                    yield site, str(one), artifact.text
        elif artifact.path == COMPOSE:
            for name, service in compose(artifact)["services"].items():
                wanted = {key: service.get(key) for key in ("command", "environment", "healthcheck")}
                yield site, name, yaml.safe_dump(wanted, width=10_000)
        elif path.name == "supervisord.conf":
            for block in artifact.text.split("\n[program:")[1:]:
                yield Site.NATIVE, block.partition("]")[0], block
        elif FILES.get(path.name):
            yield (Site.NATIVE if path.name == ".env" else site), str(FILES[path.name]), artifact.text


def called(plan: Plan, site: Site, text: str) -> Iterator[tuple[Service, Purpose]]:
    """The ports of the deployment that a text names."""
    for port in plan.ports:
        address = plan.address(*port_of(port), site)
        if re.search(rf"(?<![\w.-]){re.escape(address)}(?!\d)", text):
            yield port_of(port)


def compose(artifact: Artifact) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(artifact.text)
    return document


def rendered(plan: Plan) -> dict[str, Artifact]:
    return {artifact.path: artifact for artifact in render(plan)}


def networks_of(plan: Plan, party: str) -> list[str]:
    """By the edges: those at either end of which it is."""
    return sorted(
        {
            str(edge.network)
            for edge in every(plan)
            if party in {edge.source, str(getattr(edge, "service", ""))}
        }
    )


@given(EITHER)
@FEW
def test_the_networks_of_a_container_are_those_of_its_edges(document: Document) -> None:
    plan = plan_of(document)
    document = compose(rendered(plan)[COMPOSE])
    services = document["services"]
    known = {name: service for name, service in services.items() if not name.startswith("init-")}
    assert set(known) == {*map(str, plan.services), LOOM, PROBE}
    for name, service in known.items():
        assert sorted(service["networks"]) == networks_of(plan, name), name
        # What is published must be on a network that leads out of Docker.
        leads_out = [one for one in service["networks"] if not document["networks"][one].get("internal")]
        assert leads_out or not service.get("ports"), name
    for name in set(services) - set(known):
        assert services[name]["network_mode"] == "none"
    for edge in plan.edges:
        if edge.source in known:
            assert {str(edge.network)} <= {*known[edge.source]["networks"]} & {
                *known[edge.service]["networks"]
            }
    hardened = plan.profile.security.hardened
    assert bool(document["networks"].get(Network.BACKEND, {}).get("internal")) == hardened
    assert hardened or set(document["networks"]) == {Network.COMMON}


@given(EITHER)
def test_a_certificate_is_good_for_every_name_by_which_its_callers_reach_it(document: Document) -> None:
    plan = plan_of(document)
    known = {identity.name: identity for identity in identities(plan)}
    encrypted = [edge for edge in plan.edges if edge.encrypted]
    assert set(known) == {end for edge in encrypted for end in (edge.source, str(edge.service))}
    for edge in encrypted:
        server, caller = known[str(edge.service)], known[edge.source]
        assert server.server
        assert caller.client
        for site in Site:
            host = plan.address(edge.service, edge.purpose, site).rpartition(":")[0]
            assert host in server.hosts, edge.name
        if edge.source in {OPERATOR, LOOM}:
            assert {*LOOPBACK, *plan.profile.security.tls.hosts} <= set(server.hosts)
    for identity in known.values():
        assert bool(identity.hosts) == identity.server


@given(EITHER)
def test_every_secret_has_a_holder_that_is_a_party_and_every_caller_of_one_has_what_it_shows(
    document: Document,
) -> None:
    plan = plan_of(document)
    known, held = parties(plan), {(secret.holder, secret.file) for secret in secrets(plan)}
    for secret in secrets(plan):
        assert secret.holder in known
        assert set(secret.callers) <= known
    for edge in plan.edges:
        if edge.method is Method.PASSWORD:
            assert (edge.source, "password") in held
            files = [
                one for one in secrets(plan) if one.holder == edge.service and edge.source in one.callers
            ]
            assert files, edge.name
        if edge.method is Method.TOKEN:
            assert {(edge.source, "token"), (str(edge.service), "token")} <= held or balanced(edge)
    if not plan.encrypted(Service.PROMETHEUS):
        assert {kind for _, kind in held} <= {"hook_url", *given_names(plan)}
        assert identities(plan) == ()


def balanced(edge: Edge) -> bool:
    """The balancer hands on what its callers show, and looks at no token itself."""
    return edge.service is Service.BALANCER


def given_names(plan: Plan) -> set[str]:
    return {name for remote in plan.profile.metrics.remote_write for name in remote.secrets}


REFERENCE = re.compile(r"/run/secrets/([\w.-]+)|\.\./(?:rendered/)?secrets/([a-z0-9-]+)/([\w.-]+)")


@given(PRODUCTIONS)
@FEW
def test_every_file_of_credentials_that_is_referred_to_is_one_that_its_reader_has(document: Document) -> None:
    plan = plan_of(document)
    certified = {identity.name for identity in identities(plan)}
    held = {(one.holder, one.file) for one in secrets(plan)}
    held |= {(name, file) for name in certified for file in (CA, CERTIFICATE, KEY)}
    found = set()
    for _, source, text in told(plan):
        for here, party, file in REFERENCE.findall(text):
            reference = (party or source, file or here)
            assert reference in held, (source, reference)
            assert reference[0] == source, f"{source} reads what is {party}'s"
            found.add(reference)
    assert {str(Service.PROMETHEUS), str(Service.COLLECTOR)} <= {party for party, _ in found}


@given(PRODUCTIONS)
@FEW
def test_whoever_is_given_credentials_runs_as_the_user_that_they_belong_to(document: Document) -> None:
    plan = plan_of(document)
    services = compose(rendered(plan)[COMPOSE])["services"]
    assert {identity.owner for identity in identities(plan) if identity.name == OPERATOR} == {-1}
    for name, service in services.items():
        mounted = [
            each["source"] for each in service.get("volumes", ()) if "secrets" in str(each.get("source"))
        ]
        assert mounted in ([], [f"./secrets/{name}"]), name
        if mounted and name not in {LOOM, PROBE, Service.CANARY}:  # their image has a user of its own
            assert service["user"].partition(":")[0] == str(owner(name)), name
        assert owner(name) > 0 or not mounted, name


@given(PRODUCTIONS)
@FEW
def test_nothing_that_is_rendered_speaks_plain_text_to_a_protected_port(document: Document) -> None:
    plan = plan_of(document)
    protected = [port for port in plan.ports if plan.encrypted(*port_of(port))]
    addresses = {plan.address(*port_of(port), site) for port in protected for site in Site}
    addresses |= {f"localhost:{port.native}" for port in protected}
    addresses |= {f"localhost:{port.container}" for port in protected}
    for artifact in render(plan):
        plain = set(re.findall(r"http://([\w.-]+:\d+)", artifact.text)) & addresses
        assert not plain, (artifact.path, plain)
        assert not re.search(r"insecure(_skip_verify)?\W*: *true", artifact.text), artifact.path
        assert not re.search(r"tls(_|S)kip(_|V)erify(_i|I)?\w*\W*: *true", artifact.text), artifact.path


@given(SYSTEMS)
@FEW
def test_a_plain_deployment_refers_to_no_certificate_of_ours(document: Document) -> None:
    plan = plan_of(document)
    if plan.encrypted(Service.PROMETHEUS):
        return
    wanted = {secret.file for secret in secrets(plan)}
    for _, source, text in told(plan):
        files = {here or file for here, _, file in REFERENCE.findall(text)}
        assert files <= wanted, source


EDGES = {
    "loom -> otel-collector:otlp_grpc": (True, "certificate"),
    "loom -> otel-collector:otlp_http": (True, "certificate"),
    "canary -> otel-collector:otlp_grpc": (True, "certificate"),
    "canary -> otel-collector:otlp_http": (True, "certificate"),
    "otel-collector -> jaeger:otlp_grpc": (True, "certificate"),
    "prometheus -> otel-collector:exporter": (True, "certificate"),
    "prometheus -> otel-collector:telemetry": (False, "none"),
    "prometheus -> jaeger:telemetry": (False, "none"),
    "prometheus -> prometheus:ui": (True, "password"),
    "prometheus -> alertmanager:ui": (True, "password"),
    "prometheus -> canary:exporter": (True, "certificate"),
    "grafana -> prometheus:ui": (True, "password"),
    "grafana -> jaeger:ui": (True, "certificate"),
    "proxy -> jaeger:ui": (True, "certificate"),
    "grafana -> alertmanager:ui": (True, "password"),
    "alertmanager -> alertmanager:ui": (True, "password"),
    "probe -> otel-collector:health": (True, "certificate"),
    "probe -> jaeger:health": (True, "certificate"),
    "canary -> prometheus:ui": (True, "password"),
    "canary -> jaeger:ui": (True, "certificate"),
    "operator -> otel-collector:health": (True, "certificate"),
    "operator -> prometheus:ui": (True, "password"),
    "operator -> alertmanager:ui": (True, "password"),
    "operator -> grafana:ui": (True, "login"),
    "operator -> proxy:ui": (True, "password"),
}


def test_the_edges_of_production_are_those_that_people_have_read() -> None:
    """The whole graph of the shipped profile, in words: whoever changes it sees here what they change."""
    plan = derive(load("prod"))
    assert {edge.name: (edge.encrypted, str(edge.method)) for edge in plan.edges} == EDGES


@pytest.mark.parametrize("name", ["otel-collector-2", "grafana", "jaeger-3", "authority"])
def test_a_federation_caller_cannot_take_the_folder_of_a_service_or_of_its_replica(name: str) -> None:
    profile = load("prod").model_dump(mode="json")
    profile["metrics"]["federation"]["callers"] = [name]
    with pytest.raises(PlanError, match=f"'{name}' is a party of every deployment"):
        derive(Profile.model_validate(profile))


def test_a_profile_of_production_without_tls_has_no_plan_and_says_which_edge_comes_first() -> None:
    with pytest.raises(PlanError, match="plain text, the first is loom -> otel-collector:otlp_grpc"):
        derive(load("prod", ["security.tls.mode=off", "security.authentication=off"]))
