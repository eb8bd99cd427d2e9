"""Each check against evidence that differs from a healthy stack's in one thing."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loom.contract import foreign, metrics
from loom.contract.series import Part
from loom.deploy.credentials.access import PLAIN
from loom.deploy.doctor import CHECKS, Answer, Endpoint, Stack, Verdict, endpoints
from loom.deploy.doctor import questions as q
from loom.deploy.doctor.environment import GRPC, HTTP
from loom.deploy.doctor.evidence import Certificate, Credentials, Disk, Sender
from loom.deploy.doctor.network import read_certificate
from loom.deploy.doctor.papers import Papers
from loom.deploy.engine import ServiceStatus
from loom.deploy.plan import derive
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.profile import load
from loom.errors import Problem

Case = Any
FULL = f'{foreign.QUEUE_SIZE.name}{{data_type="traces",exporter="otlp_grpc/jaeger"}}'
SENT = f'{foreign.SENT_SPANS.name}{{exporter="otlp_grpc/jaeger"}}'
LOST = f'{foreign.SEND_FAILED_SPANS.name}{{exporter="otlp_grpc/jaeger"}}'
REFUSED = f'{foreign.LIMITER_REFUSED_SPANS.name}{{processor="memory_limiter"}}'
DATASOURCES = "grafana/provisioning/datasources/loom.yaml"
COLLECTOR = "otel-collector-config.yaml"


def verdict(case: Case, name: str) -> Verdict:
    (finding,) = (each for each in case.diagnose().findings if each.check.name == name)
    return Verdict(finding.judgement.verdict)


def evidence(case: Case, name: str) -> str:
    (finding,) = (each for each in case.diagnose().findings if each.check.name == name)
    return str(finding.judgement.evidence)


def test_a_healthy_stack_has_nothing_to_report(case: Case) -> None:
    found = case.diagnose()
    assert {finding.judgement.verdict for finding in found.findings} == {Verdict.OK, Verdict.NOT_APPLICABLE}


def test_every_check_stands_after_what_it_needs_and_says_what_it_stands_for() -> None:
    seen: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= seen, check.name
        assert check.title, check.name
        assert check.step, check.name
        seen.add(check.name)
    assert len(seen) == len(CHECKS)


def test_what_fails_only_because_something_earlier_did_names_it(case: Case) -> None:
    case.silence(Endpoint.COLLECTOR_HEALTH)
    case.silence(Endpoint.COLLECTOR_METRICS)
    case.network.closed[4317] = "connection refused"
    case.environ(OTEL_EXPORTER_OTLP_ENDPOINT="http://localhost:4317")
    found = case.diagnose()
    assert [cause.check.name for cause in found.causes] == ["otel-collector-answers"]
    explained = {finding.check.name for finding in found.explained(found.causes[0])}
    assert {"endpoint-connects", "endpoint-speaks-otlp", "collector-delivers"} <= explained


@pytest.mark.parametrize(
    ("environ", "cause"),
    [
        ({"OTEL_TRACE_SAMPLER": "always_on"}, ""),
        ({"OTEL_TRACE_SAMPLER": "always_off"}, "sampler"),
        ({"OTEL_TRACE_SAMPLER": "traceidratio=0"}, "sampler"),
        ({"OTEL_TRACE_SAMPLER": "traceidratio=1.5"}, "sampler"),
        ({"OTEL_TRACE_SAMPLER": "Always_On"}, "sampler"),
        ({"OTEL_TRACE_SAMPLER": "always_off", "OTEL_TRACES_SAMPLER": "always_on"}, ""),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, "sampler"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "all"}, "sampler"),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}, ""),
        ({"OTEL_SDK_DISABLED": "TRUE"}, "sdk-enabled"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_SERVICE_NAME": "x"}, "sdk-enabled"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4317"}, "endpoint-formed"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:port"}, "endpoint-formed"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://"}, "endpoint-formed"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:24317"}, "endpoint-is-ours"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4317"}, ""),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "nowhere"}, "endpoint-formed"),
    ],
    ids=str,
)
def test_the_environment_of_a_loom_process_is_read_as_the_runtime_reads_it(
    case: Case, environ: dict[str, str], cause: str
) -> None:
    case.environ(**environ)
    assert case.first() == cause


def test_another_ratio_than_the_profiles_is_a_warning(case: Case) -> None:
    case.environ(OTEL_TRACE_SAMPLER="traceidratio=0.5")
    assert verdict(case, "sampler") is Verdict.WARNING
    assert case.first() == ""


def test_a_port_of_the_other_protocol_is_named_as_such(case: Case) -> None:
    url = "http://localhost:4318"
    case.network.exports[url, "grpc"] = "UNAVAILABLE"
    case.environ(OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert case.first() == "endpoint-speaks-otlp"
    assert "takes http/protobuf, not grpc" in evidence(case, "endpoint-speaks-otlp")
    case.network.exports[url, "http/protobuf"] = "HTTP 404"
    assert "UNAVAILABLE" in evidence(case, "endpoint-speaks-otlp")


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        ({FULL: 300.0}, {FULL: 300.0}, "collector-delivers"),
        ({FULL: 300.0}, {FULL: 300.0, SENT: 400.0}, ""),
        ({FULL: 300.0}, {FULL: 0.0}, ""),
        ({LOST: 7.0}, {LOST: 7.0}, ""),
        ({LOST: 7.0}, {LOST: 8.0}, "collector-delivers"),
        ({FULL: 900.0}, {FULL: 900.0, SENT: 400.0}, "collector-queue"),
        ({FULL: 900.0}, {FULL: 10.0, SENT: 1100.0}, ""),
        ({}, {REFUSED: 9.0}, "collector-takes"),
        ({REFUSED: 9.0}, {REFUSED: 9.0}, ""),
    ],
    ids=str,
)
def test_delivering_is_judged_by_what_moves_between_two_looks(
    case: Case, first: dict[str, float], second: dict[str, float], cause: str
) -> None:
    case.collector(first, second)
    assert case.first() == cause


def test_a_suffix_on_the_collectors_own_metrics_does_not_hide_them(case: Case) -> None:
    body = f"{foreign.ACCEPTED_SPANS.name}_total 5\n{foreign.ACCEPTED_METRIC_POINTS.name}_total 6\n"
    case.answer(Endpoint.COLLECTOR_METRICS, q.METRICS, body)
    assert "took 5" in evidence(case, "loom-reports")


@pytest.mark.parametrize(
    ("name", "verdict_"),
    [
        ("logging", Verdict.BROKEN),
        ("jaeger/old", Verdict.BROKEN),
        ("otlp", Verdict.WARNING),
        ("debug", Verdict.OK),
    ],
)
def test_a_component_name_is_judged_by_the_version_that_runs(
    case: Case, name: str, verdict_: Verdict
) -> None:
    case.machine.texts = {COLLECTOR: f"exporters: {{{name}: {{}}}}"}
    assert verdict(case, "collector-components") is verdict_
    old = case.network.pages[case.stack.endpoints[Endpoint.COLLECTOR_METRICS] + q.METRICS].body
    case.answer(Endpoint.COLLECTOR_METRICS, q.METRICS, old.replace("0.161.0", "0.70.0"))
    assert verdict(case, "collector-components") is Verdict.OK


def test_the_batch_processor_is_a_warning_before_0_166_and_broken_from_then_on(case: Case) -> None:
    case.machine.texts = {COLLECTOR: "processors: {batch: {}}"}
    assert verdict(case, "collector-components") is Verdict.WARNING
    page = case.network.pages[case.stack.endpoints[Endpoint.COLLECTOR_METRICS] + q.METRICS].body
    case.answer(Endpoint.COLLECTOR_METRICS, q.METRICS, page.replace("0.161.0", "0.166.0"))
    assert verdict(case, "collector-components") is Verdict.BROKEN


def test_no_yaml_is_the_cause_of_what_the_collector_says_about_it(case: Case) -> None:
    case.machine.texts = {COLLECTOR: "exporters: ["}
    case.machine.refused = "Error: yaml"
    assert case.first() == "collector-yaml"
    assert "line 1, column 13" in evidence(case, "collector-yaml")
    case.machine.texts = {COLLECTOR: "exporters: {}"}
    assert case.first() == "collector-accepts"
    case.machine.refused = None
    assert verdict(case, "collector-accepts") is Verdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("path", "body", "cause"),
    [
        (q.TARGETS, {"data": {"activeTargets": []}}, "targets"),
        (q.RULES, {"data": {"groups": []}}, "rules"),
        (q.ALERTMANAGERS, {"data": {"activeAlertmanagers": []}}, "alertmanager-reached"),
        (q.NAMES, {"data": ["up"]}, "metrics-stored"),
        (q.BUILD, {"data": {"version": "2.45.0"}}, "versions"),
    ],
)
def test_what_prometheus_says_is_judged(case: Case, path: str, body: object, cause: str) -> None:
    case.answer(Endpoint.PROMETHEUS, path, body)
    assert case.first() == cause


def test_a_down_target_is_named_with_its_error_and_a_failing_rule_with_its_own(case: Case) -> None:
    target = {
        "scrapePool": "jaeger",
        "scrapeUrl": "http://j:8888/metrics",
        "health": "down",
        "lastError": "refused",
    }
    case.answer(Endpoint.PROMETHEUS, q.TARGETS, {"data": {"activeTargets": [target]}})
    assert "jaeger http://j:8888/metrics: refused" in evidence(case, "targets")
    rule = {"name": "Bad", "query": "x", "health": "err", "lastError": "many-to-many"}
    case.answer(Endpoint.PROMETHEUS, q.RULES, {"data": {"groups": [{"rules": [rule]}]}})
    assert "Bad: many-to-many" in evidence(case, "rules")


@pytest.mark.parametrize("namespace", ["loom", "acme"])
def test_series_below_another_namespace_than_the_rules_ask_for_are_found_out(
    case: Case, namespace: str
) -> None:
    url = case.stack.endpoints[Endpoint.COLLECTOR_EXPORTER] + q.METRICS
    prefixed = "".join(f"{namespace}_{line}\n" for line in case.network.pages[url].body.splitlines())
    case.answer(Endpoint.COLLECTOR_EXPORTER, q.METRICS, prefixed)
    assert case.first() == "names-agree"
    assert f"below namespace {namespace}" in evidence(case, "names-agree")


def test_series_in_another_style_than_the_rules_ask_for_are_found_out(case: Case) -> None:
    plan = derive(load("dev", ("metrics.naming=prometheus",)))
    names = [series.name for metric in metrics.ALL for series in plan.naming.all_series(metric)]
    case.answer(Endpoint.COLLECTOR_EXPORTER, q.METRICS, "".join(f"{name} 1\n" for name in names))
    bucket = case.stack.plan.naming.series(metrics.event_bus.PUBLISH_LATENCY, Part.BUCKET).name
    rule = {"name": "R", "query": f"histogram_quantile(0.9, rate({bucket}[5m]))", "health": "ok"}
    case.answer(Endpoint.PROMETHEUS, q.RULES, {"data": {"groups": [{"rules": [rule]}]}})
    assert case.first() == "names-agree"
    assert "UnderscoreEscapingWithoutSuffixes" in case.diagnose().first.judgement.remedy


def test_names_that_prometheus_remembers_from_another_configuration_are_no_fault(case: Case) -> None:
    case.answer(Endpoint.COLLECTOR_EXPORTER, q.METRICS, "")
    url = case.stack.endpoints[Endpoint.PROMETHEUS] + q.NAMES
    names = json.loads(case.network.pages[url].body)["data"]
    case.answer(Endpoint.PROMETHEUS, q.NAMES, {"data": [*names, *(f"loom_{name}" for name in names)]})
    assert case.first() == ""


def test_the_double_prefix_is_fine_where_rules_ask_for_it(case: Case) -> None:
    plan = derive(load("dev", ("metrics.namespace=loom",)))
    case.stack = replace(case.stack, plan=plan)
    for endpoint, path in ((Endpoint.COLLECTOR_EXPORTER, q.METRICS), (Endpoint.PROMETHEUS, q.RULES)):
        url = case.stack.endpoints[endpoint] + path
        case.answer(endpoint, path, case.network.pages[url].body.replace("loom_", "loom_loom_"))
    assert case.first() == ""
    assert "the double prefix is expected" in evidence(case, "names-agree")


def test_a_process_that_has_just_started_is_waited_for_and_one_that_has_run_long_is_not(case: Case) -> None:
    empty = {
        f'{each.name}{{receiver="otlp",transport="grpc"}}': 0.0
        for each in (foreign.ACCEPTED_SPANS, foreign.ACCEPTED_METRIC_POINTS)
    }
    case.collector(empty)
    case.answer(Endpoint.COLLECTOR_EXPORTER, q.METRICS, "")
    case.answer(Endpoint.PROMETHEUS, q.NAMES, {"data": []})
    case.answer(Endpoint.JAEGER, q.JAEGER_SERVICES, {"data": None})
    case.machine.connected[4317] = (Sender(7, "python agent.py", case.machine.clock - 3),)
    assert verdict(case, "loom-reports") is Verdict.CANNOT_TELL
    case.collector(empty)
    case.machine.connected[4317] = (Sender(7, "python agent.py", case.machine.clock - 300),)
    assert case.first() == "loom-reports"


def test_a_store_that_answers_nothing_about_loom_though_much_was_sent_is_broken(case: Case) -> None:
    case.answer(Endpoint.JAEGER, q.JAEGER_SERVICES, {"data": ["jaeger"]})
    assert case.first() == "traces-stored"


def test_a_full_disk_is_the_cause_of_a_service_that_does_not_run(case: Case) -> None:
    case.machine.disks[str(case.stack.folder)] = Disk("/data", 10 * 2**30, 2**20)
    case.silence(Endpoint.PROMETHEUS)
    assert case.first() == "disk"
    case.machine.disks[str(case.stack.folder)] = Disk("/data", 10 * 2**30, 2**29)
    assert verdict(case, "disk") is Verdict.WARNING


def test_a_process_beyond_its_memory_is_named(case: Case) -> None:
    case.further = lambda found: replace(found, memory={Service.PROMETHEUS: 2**31})
    assert case.first() == "memory"
    case.further = lambda found: replace(found, memory={Service.PROMETHEUS: 1000 * 2**20})
    assert verdict(case, "memory") is Verdict.WARNING


@pytest.mark.parametrize(("ahead", "cause"), [(4.0, ""), (-90.0, "clock"), (90.0, "clock")])
def test_a_clock_that_is_off_is_named_with_its_direction(case: Case, ahead: float, cause: str) -> None:
    case.answer(Endpoint.JAEGER, q.JAEGER_SERVICES, {"data": ["loom-core"]}, ahead=ahead)
    assert case.first() == cause
    assert ("ahead" in evidence(case, "clock")) is (ahead == 90.0)


@pytest.mark.parametrize(("days", "verdict_"), [(-1, Verdict.BROKEN), (5, Verdict.WARNING), (90, Verdict.OK)])
def test_a_certificate_is_judged_by_the_days_that_are_left(case: Case, days: int, verdict_: Verdict) -> None:
    ends = case.machine.clock + days * 86_400
    case.stack = replace(case.stack, endpoints={**case.stack.endpoints, Endpoint.OTLP: "https://c:4317"})
    case.network.certificates["c:4317"] = Certificate("c:4317", ends)
    assert verdict(case, "certificates") is verdict_


ENDED = Problem("has ended on 2026-11-03", "secrets/jaeger/cert.pem", hint="run: loom-deploy certs rotate")


def test_credentials_that_will_not_do_explain_why_nobody_answers_and_are_not_shown_twice(case: Case) -> None:
    case.machine.held = Credentials(wrong=(ENDED,))
    case.silence(Endpoint.JAEGER)
    case.answer(Endpoint.PROMETHEUS, q.READY, "Unauthorized", status=401)
    found = case.diagnose()
    assert [cause.check.name for cause in found.causes] == ["certificates"]
    assert found.first.judgement.evidence == "secrets/jaeger/cert.pem: has ended on 2026-11-03"
    assert found.first.judgement.remedy.startswith("run: loom-deploy certs rotate --profile dev --output /")
    assert {"jaeger-answers", "prometheus-answers"} <= {
        each.check.name for each in found.explained(found.first)
    }


@pytest.mark.parametrize(
    ("held", "verdict_"),
    [(Credentials(soon=(ENDED,)), Verdict.WARNING), (Credentials(closed=(ENDED,)), Verdict.CANNOT_TELL)],
)
def test_credentials_that_end_soon_or_that_we_may_not_read_are_no_fault(
    case: Case, held: Credentials, verdict_: Verdict
) -> None:
    case.network.certificates["c:4317"] = Certificate("c:4317", case.machine.clock + 90 * 86_400)
    case.stack = replace(case.stack, endpoints={**case.stack.endpoints, Endpoint.OTLP: "https://c:4317"})
    assert verdict(case, "certificates") is Verdict.OK
    case.machine.held = held
    assert verdict(case, "certificates") is verdict_
    assert ENDED.file in evidence(case, "certificates")


def test_jaeger_is_asked_through_the_proxy_where_people_must_log_in() -> None:
    plan = derive(load("prod"))
    found = endpoints(plan, None)
    assert found[Endpoint.JAEGER] == plan.reached(Service.PROXY, Purpose.UI)
    assert Endpoint.COLLECTOR_METRICS not in found  # hardened containers do not publish it
    guarded = Stack(found, plan).guarded
    assert all(url in guarded for url in found.values())
    asking = {endpoint for endpoint, url in found.items() if guarded[url]}
    assert asking == {Endpoint.JAEGER, Endpoint.PROMETHEUS, Endpoint.ALERTMANAGER}


@pytest.mark.parametrize(
    ("override", "service"), [("topology=gateway", Service.BALANCER), ("topology=split", Service.COLLECTOR)]
)
def test_otlp_is_where_loom_is_told_to_send(override: str, service: Service) -> None:
    more = ["collector.replicas=2"] if service is Service.BALANCER else []
    plan = derive(load("dev", [f"collector.{override}", "metrics.delivery=otlp", *more]))
    assert endpoints(plan, None)[Endpoint.OTLP] == plan.reached(service, Purpose.OTLP_GRPC)


@pytest.mark.parametrize(
    ("name", "override", "asked"),
    [
        ("dev", "metrics.delivery=scrape", True),
        ("dev", "metrics.delivery=otlp", False),  # there is no such page
        ("prod", "metrics.delivery=scrape", False),  # nobody outside the containers reaches it
    ],
)
def test_the_exporter_is_asked_where_it_can_be_reached(
    name: str,
    override: str,
    asked: bool,  # noqa: FBT001 - a case
) -> None:
    plan = derive(load(name, [override]))
    assert (Endpoint.COLLECTOR_EXPORTER in endpoints(plan, None)) == asked


def test_nothing_of_a_deployment_is_shown_to_a_stack_that_is_not_ours() -> None:
    stack = Stack({Endpoint.PROMETHEUS: "https://metrics.example.org"})
    assert stack.access == PLAIN
    assert stack.guarded == {}


def test_a_stranger_on_a_port_of_a_service_without_an_endpoint_of_its_own_is_named(case: Case) -> None:
    plan = derive(load("prod"))
    case.stack = replace(case.stack, plan=plan, endpoints={})
    case.machine.listening = {plan.port(Service.PROXY, Purpose.UI).native: 7}
    assert verdict(case, "ports") is Verdict.BROKEN
    assert "(proxy ui) is held by pid 7" in evidence(case, "ports")


def test_a_data_source_that_speaks_plain_text_to_a_port_with_tls_is_named(case: Case) -> None:
    plan = derive(load("prod"))
    case.stack = replace(case.stack, plan=plan)
    assert verdict(case, "data-sources") is Verdict.BROKEN
    assert "has url http://prometheus:9090, prometheus is at https://prometheus:9090" in evidence(
        case, "data-sources"
    )


def test_an_export_is_tried_with_what_the_environment_says_and_a_signals_own_wins(case: Case) -> None:
    case.environ(
        OTEL_EXPORTER_OTLP_ENDPOINT="https://c:4317",
        OTEL_EXPORTER_OTLP_CERTIFICATE="/c/ca.pem",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="https://t:4317",
        OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE="/t/ca.pem",
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE="/c/cert.pem",
        OTEL_EXPORTER_OTLP_CLIENT_KEY="/c/key.pem",
        LOOM_OTLP_TOKEN_FILE="/c/token",  # noqa: S106 - a path
    )
    case.diagnose()
    assert set(case.network.shown) == {
        Papers(authority, "/c/cert.pem", "/c/key.pem", "/c/token") for authority in ("/c/ca.pem", "/t/ca.pem")
    }


@pytest.mark.parametrize("ingestion", ["certificate", "token"])
def test_where_the_environment_says_nothing_an_export_shows_what_the_deployment_holds_for_loom(
    case: Case, ingestion: str
) -> None:
    plan = derive(load("prod", [f"security.ingestion={ingestion}"]))
    case.stack = replace(case.stack, plan=plan, endpoints=endpoints(plan, None))
    case.diagnose()
    own = case.stack.folder / "secrets" / "loom"
    pair = (
        ("", "", str(own / "token"))
        if ingestion == "token"
        else (str(own / "cert.pem"), str(own / "key.pem"), "")
    )
    assert set(case.network.shown) == {Papers(str(own / "ca.pem"), *pair)}


def test_without_certificates_the_remedy_is_all_of_the_rendered_environment(case: Case) -> None:
    plan = derive(load("prod"))
    case.stack = replace(case.stack, plan=plan, endpoints=endpoints(plan, None))
    own = case.stack.endpoints[Endpoint.OTLP]
    case.network.exports = {(own, protocol): "refused" for protocol in (GRPC, HTTP)}
    case.environ(OTEL_EXPORTER_OTLP_ENDPOINT=own)
    (finding,) = (each for each in case.diagnose().findings if each.check.name == "endpoint-speaks-otlp")
    assert finding.judgement.verdict is Verdict.BROKEN
    assert finding.judgement.remedy.startswith(f"take every variable of {case.stack.folder / '.env'}")


def test_a_real_certificate_file_is_read() -> None:
    from cryptography import x509  # noqa: PLC0415 - slow to import, and only this test makes one
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the same

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC).replace(microsecond=0)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "collector")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=3))
    text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    assert read_certificate("ca.pem", text).expires == (now + timedelta(days=3)).timestamp()
    assert "is no certificate" in read_certificate("ca.pem", "-----BEGIN CERTIFICATE-----").error


def test_a_port_is_a_conflict_only_where_its_service_does_not_answer(case: Case) -> None:
    case.machine.listening[9090] = 77
    case.machine.names[9090] = "container prometheus-of-somebody"
    assert case.first() == ""
    case.silence(Endpoint.PROMETHEUS)
    assert case.first() == "ports"
    assert "container prometheus-of-somebody" in evidence(case, "ports")


@pytest.mark.parametrize(
    ("status", "verdict_"),
    [
        (ServiceStatus(Service.JAEGER, "RUNNING", 5, 90.0), Verdict.OK),
        (ServiceStatus(Service.JAEGER, "RUNNING", 5, 5.0, restarts=4), Verdict.BROKEN),
        (ServiceStatus(Service.JAEGER, "RUNNING", 5, 90.0, restarts=4), Verdict.WARNING),
        (ServiceStatus(Service.JAEGER, "FATAL", obstacle="exited"), Verdict.BROKEN),
        (ServiceStatus(Service.JAEGER, "STOPPED", obstacle="STOPPED"), Verdict.BROKEN),
    ],
    ids=str,
)
def test_a_restart_loop_is_told_from_a_service_that_has_come_to_rest(
    case: Case, status: ServiceStatus, verdict_: Verdict
) -> None:
    case.further = lambda found: replace(found, statuses=(status,))
    assert verdict(case, "jaeger-runs") is verdict_


def test_the_log_line_that_tells_why_is_quoted(case: Case) -> None:
    tail = ("info starting", "Error: address already in use", "info stopped")
    status = ServiceStatus(Service.JAEGER, "FATAL", obstacle="exited", restarts=5, tail=tail)
    case.further = lambda found: replace(found, statuses=(status,))
    assert "its last words: Error: address already in use" in evidence(case, "jaeger-runs")


def test_nothing_that_answers_is_one_cause_not_ten(case: Case) -> None:
    case.network.pages.clear()
    case.network.closed[4317] = "connection refused"
    found = case.diagnose()
    assert [cause.check.name for cause in found.causes] == ["stack"]


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (("uid: prometheus", "uid: other"), "data-sources"),
        (("http://prometheus:9090", "http://prometheus:9091"), "data-sources"),
        (("http://jaeger:16686", "http://127.0.0.1:16686"), "data-sources"),
        (("datasourceUid: jaeger", "datasourceUid: tempo"), "data-sources"),
        (("isDefault: true", "isDefault: false"), ""),
    ],
)
def test_a_data_source_is_what_dashboards_use_and_leads_to_its_service(
    case: Case, edit: tuple[str, str], cause: str
) -> None:
    case.machine.texts[DATASOURCES] = case.machine.texts[DATASOURCES].replace(*edit, 1)
    assert case.first() == cause


@pytest.mark.parametrize(
    ("board", "says"),
    [
        ({"dashboard": {"title": "x"}}, "title cannot be empty"),
        ({"title": " ", "panels": []}, "has no title"),
        ({"title": "Loom", "panels": []}, "same as folder"),
        ({"apiVersion": "dashboard.grafana.app/v2", "spec": {}}, "schema v2"),
        ({"title": "A", "uid": "loom-overview", "panels": []}, "uid loom-overview stands in 2 files"),
        ([], "no JSON object"),
    ],
    ids=str,
)
def test_a_dashboard_that_grafana_would_reject_is_found_before_it_does(
    case: Case, board: object, says: str
) -> None:
    case.machine.texts["grafana/dashboards/mine.json"] = json.dumps(board)
    assert says in evidence(case, "dashboards")
    assert case.first() == "dashboards"


def test_a_running_grafana_is_asked_what_it_has_loaded(case: Case) -> None:
    case.answer(Endpoint.GRAFANA, q.GRAFANA_SOURCES, [{"uid": "P1"}])
    assert case.first() == "grafana-data-sources"
    case.answer(Endpoint.GRAFANA, q.GRAFANA_SOURCES, {"message": "Unauthorized"}, status=401)
    assert verdict(case, "grafana-data-sources") is Verdict.CANNOT_TELL
    case.answer(Endpoint.GRAFANA, q.GRAFANA_SEARCH, [])
    assert case.first() == "grafana-dashboards"


def test_a_stack_of_which_only_prometheus_is_known_is_judged_by_that_alone(case: Case) -> None:
    address = case.stack.endpoints[Endpoint.PROMETHEUS]
    case.stack = Stack({Endpoint.PROMETHEUS: address})
    found = case.diagnose()
    assert found.first is None or found.first.check.name == "loom-reports"
    assert {f.check.name for f in found.of(Verdict.OK)} >= {"targets", "rules", "prometheus-answers", "clock"}
    assert {f.check.name for f in found.of(Verdict.NOT_APPLICABLE)} >= {
        "jaeger-answers",
        "ports",
        "dashboards",
    }


@pytest.mark.parametrize("body", ["<html>", "[]", "null", '{"data": null}', '{"data": 3}'])
def test_an_answer_that_is_not_what_was_asked_for_never_breaks_the_doctor(case: Case, body: str) -> None:
    for url in list(case.network.pages):
        case.network.pages[url] = Answer(url, 200, body)
    assert case.diagnose().findings
