"""The real programs accept what we render, whatever the profile says, and refuse what is wrong."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loom.deploy.artifacts import Artifact, Check
from loom.deploy.validate import Outcome, Programs, Verdict, validate

pytestmark = pytest.mark.smoke
Rendered = Callable[..., dict[str, Artifact]]
SLOW = {Check.PROMTOOL_TEST, Check.DASHBOARD}
VARIANTS = [
    ("dev",),
    ("prod",),
    ("prod", "metrics.delivery=otlp", "metrics.namespace=loom"),
    ("dev", "metrics.naming=prometheus", "collector.queue.storage=disk", "tracing.storage=badger"),
    ("prod", "collector.queue.storage=memory", "ports.offset=100", "alerting.slo.objective=0.9999"),
    ("prod", "security.ingestion=token", "metrics.scrape_interval=1m"),
    ("dev", "metrics.retention.time=12h", "alerting.slo.window=12h"),
]
CALLED = """
extends: prod
name: called
alerting:
  receivers:
    - {name: ops, url_secret: ops_url}
"""


def _refusals(verdicts: tuple[Verdict, ...]) -> list[str]:
    return [
        f"{verdict.artifact}: {verdict.outcome} {problem}"
        for verdict in verdicts
        for problem in verdict.problems or ("",)
        if verdict.outcome is not Outcome.ACCEPTED
    ]


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
def test_every_file_of_every_variant_is_accepted(
    rendered: Rendered, programs: Programs, variant: tuple[str, ...]
) -> None:
    verdicts = validate(tuple(rendered(*variant).values()), programs)
    assert _refusals(verdicts) == []
    assert len(verdicts) > 20


def test_a_profile_with_receivers_is_accepted(rendered: Rendered, programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "called.yaml").write_text(CALLED)
    files = rendered(tmp_path / "called.yaml").values()
    chosen = tuple(file for file in files if file.check not in SLOW)
    assert _refusals(validate(chosen, programs)) == []


WRONG = [
    ("otel-collector-config.yaml", "otlp_grpc/jaeger:", "otlp_grcp/jaeger:"),
    ("otel-collector-config.yaml", "limit_mib", "limit_mb"),
    ("otel-collector-config.yaml", "exporters: [otlp_grpc/jaeger]", "exporters: [otlp_grpc/zipkin]"),
    ("native/otel-collector-config.yaml", "queue_size: 200000", "queue_size: many"),
    ("prometheus.yml", "scrape_interval: 15s", "scrape_interval: 15 seconds"),
    ("prometheus.yml", "honor_labels: true", "honour_labels: true"),
    ("native/prometheus.yml", "job_name: jaeger", "job_name: prometheus"),
    ("prometheus/rules/loom-alerts.yaml", "for: 10m", "for: ten minutes"),
    ("prometheus/rules/loom-alerts.yaml", "$labels.job", "$lables.job"),
    ("prometheus/rules/loom-recording.yaml", "sum by (", "sum bye ("),
    ("alertmanager.yml", 'receiver: "nobody"\n  group_by', 'receiver: "somebody"\n  group_by'),
    ("otel-collector-config.yaml", "client_ca_file:", "client_ca_files:"),
    ("otel-collector-config.yaml", 'min_version: "1.3"', 'min_version: "1.4"'),
    ("jaeger.yaml", "client_ca_file:", "client_ca_files:"),
    ("prometheus.yml", "ca_file:", "ca_files:"),
    ("Caddyfile", "basic_auth", "basic_outh"),
    ("jaeger.yaml", "spans: 168h", "spans: 7d"),
    ("jaeger.yaml", "trace_storage: main", "trace_storage: other"),
    ("native/jaeger.yaml", "use_v2: true", "use_v3: true"),
    ("docker-compose.observability.yaml", "mem_limit: 1280m", "memory_limit: 1280m"),
    ("docker-compose.observability.yaml", "condition: service_healthy", "condition: service_happy"),
    ("docker-compose.observability.yaml", "${DEPLOYMENT_ENV:-production}", "${DEPLOYMENT_ENVIRONMENT}"),
    ("docker-compose.observability.yaml", "source: jaeger-data", "source: jaeger-date"),
    (
        "docker-compose.observability.yaml",
        "      probe:\n        condition",
        "      prober:\n        condition",
    ),
    ("native/supervisord.conf", "%(ENV_LOOM_RUN)s", "%(ENV_LOOM_RUNS)s"),
    ("native/supervisord.conf", "autorestart=true", "autorestart=sometimes"),
]


@pytest.mark.parametrize(("path", "right", "wrong"), WRONG, ids=lambda value: value[:40])
def test_a_mistake_is_refused_in_the_programs_own_words(
    rendered: Rendered, programs: Programs, path: str, right: str, wrong: str
) -> None:
    files = rendered("prod")
    broken = files[path].text.replace(right, wrong)
    assert broken != files[path].text
    # Prometheus names its rules, compose reads .env: everything lies there, one file is checked.
    others = (replace(file, check=Check.NONE) for name, file in files.items() if name != path)
    (verdict,) = validate((*others, replace(files[path], text=broken)), programs)
    assert verdict.outcome is Outcome.REFUSED
    assert verdict.problems[0].file == path
    assert len(verdict.problems[0].message) > 10


@pytest.mark.slow
def test_a_rule_whose_threshold_is_changed_fails_its_test(rendered: Rendered, programs: Programs) -> None:
    files = rendered("prod")
    rules, tests = "prometheus/rules/pipeline-alerts.yaml", "prometheus/tests/pipeline-alerts-test.yaml"
    others = [replace(file, check=Check.NONE) for name, file in files.items() if name not in {rules, tests}]
    silent = replace(files[rules], text=files[rules].text.replace("> 0.9\n", "> 0.99\n"), check=Check.NONE)
    assert silent.text != files[rules].text
    (verdict,) = validate((*others, silent, files[tests]), programs)
    assert verdict.outcome is Outcome.REFUSED
    assert "PrometheusVolumeFilling" in verdict.problems[0].message


DASHBOARD = "grafana/dashboards/loom-overview.json"
BAD_DASHBOARDS: dict[str, Callable[[str], str]] = {
    "an unknown key": lambda text: text.replace('"title":', '"tittle":', 1),
    "a wrong type": lambda text: text.replace('"schemaVersion": 42', '"schemaVersion": "42"'),
    "the wrapped form": lambda text: f'{{"dashboard": {text}}}\n',
}


@pytest.mark.parametrize("mistake", BAD_DASHBOARDS)
def test_a_dashboard_that_grafana_would_not_take_is_refused(
    rendered: Rendered, programs: Programs, mistake: str
) -> None:
    good = rendered("dev")[DASHBOARD]
    bad = replace(good, path="grafana/dashboards/bad.json", text=BAD_DASHBOARDS[mistake](good.text))
    assert bad.text != good.text
    fine, refused = validate((good, bad), programs)
    assert fine.outcome is Outcome.ACCEPTED
    assert refused.outcome is Outcome.REFUSED
    assert refused.problems[0].line > 0
