"""What cannot be is refused with its place and a way out."""

from collections.abc import Callable

import pytest

from loom.deploy.artifacts import thanos
from loom.deploy.plan.derive import remarks
from loom.deploy.plan.identity import Kind, secrets
from loom.deploy.plan.model import Method, Plan, Service, Site
from loom.deploy.plan.outward import every, outward

Refused = Callable[..., dict[str, str]]
Planned = Callable[..., Plan]
STORE = "{name: store, url: 'https://store.example/api/v1/write'"
BASIC = "basic: {user: us, password_secret: store_password}"
WRITE = "$.metrics.remote_write"


def write(*entries: str) -> str:
    return "metrics:\n  remote_write:\n" + "\n".join(f"    - {one}" for one in entries)


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        (write("{name: s, url: 'http://store.example/write'}"), f"{WRITE}[0].url", "plain text"),
        (write(f"{STORE}}}"), f"{WRITE}[0]", "proves nothing of us"),
        (write(f"{STORE}, {BASIC}}}", f"{STORE}, {BASIC}}}"), WRITE, "2 of them are called 'store'"),
        (write(f"{STORE}, bearer_secret: token}}"), f"{WRITE}[0]", "'token' is made here already"),
        (
            write(f"{STORE}, {BASIC}, version: '2.0'}}"),
            f"{WRITE}[0].version",
            "write 1.0, or exemplars: false",
        ),
        (
            write(f"{STORE}, {BASIC}, keep: [loom.event_bus.publishd_total]}}"),
            f"{WRITE}[0].keep",
            "did you mean",
        ),
        (
            write(f"{STORE}, {BASIC}, keep: [loom.router.cost], drop: [loom.router.cost]}}"),
            f"{WRITE}[0].drop",
            "kept and dropped",
        ),
        (
            write(f"{STORE}, {BASIC}, series: recorded, drop: [loom.event_bus.published_total]}}"),
            f"{WRITE}[0].drop",
            "has no effect",
        ),
        (
            "metrics: {federation: {callers: [grafana]}}",
            "$.metrics.federation.callers",
            "a party of every deployment",
        ),
        (
            "metrics: {federation: {sources: [{name: a, url: 'https://a/federate', bearer_secret: a}]}}",
            "$.metrics.federation.sources[0].url",
            "leave /federate out",
        ),
        (
            "metrics: {longterm: {thanos: {retention: {raw: 29d}}}}",
            "$.metrics.longterm.thanos.retention.raw",
            "shorter than Prometheus itself",
        ),
        (
            "metrics: {longterm: {thanos: {retention: {five_minutes: 30d}}}}",
            "$.metrics.longterm.thanos.retention",
            "coarser values",
        ),
        (
            "metrics: {longterm: {thanos: {objstore: {directory: /srv/blocks, config_secret: bucket}}}}",
            "$.metrics.longterm.thanos.objstore.directory",
            "contradicts config_secret",
        ),
        (
            "metrics: {longterm: {thanos: {}}}\nvolumes: {thanos: 1GB}",
            "$.volumes.thanos",
            "blocks of all resolutions need",
        ),
        (
            "metrics: {longterm: {thanos: {objstore: {config_secret: password}}}}",
            "$.metrics.longterm.thanos.objstore.config_secret",
            "'password' is made here already",
        ),
        (
            "metrics: {longterm: {thanos: {}}}\nmemory: {thanos: 499MiB}\nvolumes: {thanos: 900GB}",
            "$.memory.thanos",
            "write at least 500MiB",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(refused: Refused, text: str, path: str, said: str) -> None:
    found = refused(text)
    assert said in found[path], found


def test_a_password_never_travels_in_plain_text_not_even_in_development(refused: Refused) -> None:
    text = write(f"{{name: store, url: 'http://store.example/write', {BASIC}}}")
    assert "plain text" in refused(text, "dev")[f"{WRITE}[0].url"]


def test_callers_without_passwords_are_refused(refused: Refused) -> None:
    found = refused("metrics: {federation: {callers: [world]}}", "dev")
    assert "security.authentication is off" in found["$.metrics.federation.callers"]


def test_an_edge_that_leaves_can_be_waived_and_is_shown(planned: Planned) -> None:
    waiver = """
security:
  waivers:
    - {edge: "prometheus -> otel-collector:telemetry", reason: as in production itself, until: "2027-11-22"}
    - {edge: "prometheus -> jaeger:telemetry", reason: as in production itself, until: "2027-11-22"}
    - {edge: "prometheus -> store:remote_write", reason: a store in the same rack, until: "2027-11-22"}
"""
    plan = planned(write("{name: store, url: 'http://store.example/write'}") + waiver)
    (edge,) = outward(plan)
    assert edge.waiver
    assert edge in every(plan)


def test_what_others_gave_us_is_a_file_that_nobody_makes_up(planned: Planned) -> None:
    plan = planned(
        write(f"{STORE}, {BASIC}, ca_secret: store_ca}}")
        + "\n  longterm: {thanos: {objstore: {config_secret: bucket}}}"
    )
    given = {(one.holder, one.file) for one in secrets(plan) if one.kind is Kind.GIVEN}
    store = {("prometheus", "store_password"), ("prometheus", "store_ca")}
    programs = (Service.THANOS_SIDECAR, Service.THANOS_STORE, Service.THANOS_COMPACTOR)
    assert given == store | {(str(one), "bucket") for one in programs}
    assert [edge.method for edge in outward(plan)] == [Method.PASSWORD, *[Method.TOKEN] * 3]
    assert any("two hours" in problem.message for problem in remarks(plan))


def test_callers_of_production_are_told_that_they_come_by_way_of_this_machine(planned: Planned) -> None:
    plan = planned(
        "metrics: {federation: {callers: [world]}}\nsecurity: {tls: {mode: mutual, hosts: [a.example]}}"
    )
    told = [problem for problem in remarks(plan) if problem.path == "$.metrics.federation.callers"]
    assert [problem.message for problem in told] == ["Prometheus is published on loopback only"]


def test_every_edge_of_thanos_is_encrypted_and_proven_in_production(planned: Planned) -> None:
    plan = planned("metrics: {longterm: {thanos: {}}}\nvolumes: {thanos: 900GB}")
    edges = [edge for edge in plan.edges if "thanos" in f"{edge.source} {edge.service}"]
    assert len(edges) > len(Service.__members__) // 2
    assert all(edge.protected for edge in edges)
    ports = [port for port in plan.ports if port.service.startswith("thanos")]
    assert {(edge.service, edge.purpose) for edge in edges} >= {(one.service, one.purpose) for one in ports}


def test_nothing_of_it_is_there_unless_asked_for(planned: Planned) -> None:
    for base in ("dev", "prod"):
        plan = planned("", base)
        assert not outward(plan)
        assert not [one for one in plan.services if one.startswith("thanos")]


def test_the_least_memory_of_thanos_is_one_with_which_its_store_starts(planned: Planned) -> None:
    least = "metrics: {longterm: {thanos: {}}}\nmemory: {thanos: 500MiB}\nvolumes: {thanos: 900GB}"
    words = thanos.commands(planned(least), Site.COMPOSE)[Service.THANOS_STORE]
    # Thanos' own largest item; a cache that is smaller is refused.
    assert "--index-cache-size=125MB" in words
