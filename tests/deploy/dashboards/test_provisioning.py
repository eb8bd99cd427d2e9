"""What Grafana reads at its start; each defect of the original's provisioning has its test here."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from loom.deploy.artifacts import grafana
from loom.deploy.plan import Plan, derive
from loom.deploy.plan.model import Service
from loom.deploy.profile import load


def _read(plan: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    sources, providers = (YAML(typ="safe").load(artifact.text) for artifact in grafana.artifacts(plan))
    return {source["uid"]: source for source in sources["datasources"]}, providers["providers"][0]


def test_a_data_source_has_the_uid_that_dashboards_and_links_refer_to(plan: Plan) -> None:
    sources, _ = _read(plan)
    assert list(sources) == ["prometheus", "jaeger", "alertmanager"]
    assert sources["prometheus"]["isDefault"]
    assert all(not source["editable"] for source in sources.values())


def test_a_data_source_is_reached_by_its_service_name_inside_the_network(plan: Plan) -> None:
    sources, _ = _read(plan)
    scheme = "https" if plan.profile.name == "prod" else "http"
    assert {uid: source["url"] for uid, source in sources.items()} == {
        "prometheus": f"{scheme}://prometheus:9090",
        "jaeger": f"{scheme}://jaeger:16686",
        "alertmanager": f"{scheme}://alertmanager:9093",
    }


def test_a_protected_data_source_is_shown_credentials_that_stand_in_no_rendered_file(plan: Plan) -> None:
    sources, _ = _read(plan)
    protected = plan.encrypted(Service.PROMETHEUS)
    assert protected == (plan.profile.name == "prod")
    for uid, source in sources.items():
        keys = {"basicAuth", "basicAuthUser", "secureJsonData"} & set(source)
        assert bool(keys) == protected
        assert bool(source["jsonData"].get("tlsAuthWithCACert")) == protected
        if not protected:
            continue
        secure = source["secureJsonData"]
        assert all(re.fullmatch(r"\$__file\{/run/secrets/[a-z.]+\}", value) for value in secure.values())
        by_password = uid != "jaeger"
        assert set(secure) - {"tlsCACert"} == (
            {"basicAuthPassword"} if by_password else {"tlsClientCert", "tlsClientKey"}
        )
        assert source.get("basicAuthUser") == ("grafana" if by_password else None)
        assert source["jsonData"].get("tlsAuth", False) is not by_password
        assert "tlsSkipVerify" not in source["jsonData"]


def test_alerts_show_in_grafana_and_grafana_sends_none_of_its_own(plan: Plan) -> None:
    source = _read(plan)[0]["alertmanager"]
    assert source["type"] == "alertmanager"
    kept = {key: source["jsonData"][key] for key in ("implementation", "handleGrafanaManagedAlerts")}
    assert kept == {"implementation": "prometheus", "handleGrafanaManagedAlerts": False}


def test_an_exemplar_leads_to_its_trace_in_jaeger(plan: Plan) -> None:
    destinations = _read(plan)[0]["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert [(one["name"], one["datasourceUid"]) for one in destinations] == [("trace_id", "jaeger")]


def test_a_span_leads_to_metrics_and_never_to_prometheus_as_a_store_of_logs(plan: Plan) -> None:
    data = _read(plan)[0]["jaeger"]["jsonData"]
    assert not [key for key in data if "Logs" in key]
    linked = data["tracesToMetrics"]
    assert linked["datasourceUid"] == "prometheus"
    assert {tag["key"]: tag["value"] for tag in linked["tags"]} == {
        "service.name": "job",
        "service.instance.id": "instance",
        "deployment.environment.name": "deployment_environment_name",
    }
    assert linked["queries"]


def test_a_dollar_sign_is_doubled_since_grafana_fills_in_environment_variables(plan: Plan) -> None:
    for artifact in grafana.artifacts(plan):
        # A reference to a file is Grafana's own, and the one thing that it is meant to fill in.
        rest = re.sub(r"\$__file\{/run/secrets/[a-z.]+\}", "", artifact.text.replace("$$", ""))
        assert "$" not in rest
    queries = _read(plan)[0]["jaeger"]["jsonData"]["tracesToMetrics"]["queries"]
    assert all("$$__tags" in query["query"] for query in queries)


@pytest.mark.parametrize(
    ("scraped", "exported", "interval"), [("5s", "10s", "10s"), ("15s", "10s", "15s"), ("1m", "10s", "1m")]
)
def test_rates_look_back_over_the_slower_of_scrape_and_export(
    scraped: str, exported: str, interval: str
) -> None:
    overrides = [f"metrics.scrape_interval={scraped}", f"metrics.export_interval={exported}"]
    sources, _ = _read(derive(load("dev", overrides)))
    assert sources["prometheus"]["jsonData"]["timeInterval"] == interval


def test_dashboards_lie_in_the_folder_that_the_documents_name(plan: Plan) -> None:
    _, provider = _read(plan)
    assert provider["folder"] == "Loom"
    assert "folderUid" not in provider
    assert "foldersFromFilesStructure" not in provider["options"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"


def test_what_is_saved_in_the_browser_does_not_shadow_the_file(plan: Plan) -> None:
    _, provider = _read(plan)
    assert provider["allowUiUpdates"] is False
    assert provider["type"] == "file"
