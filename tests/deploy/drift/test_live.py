"""What programs say they run, judged against what was rendered; programs are data here."""

import copy
import os
from dataclasses import replace
from typing import Any

import pytest
import yaml

from loom.contract import foreign
from loom.deploy.drift.live import Program, document, inspect, lines
from loom.deploy.drift.live import question as q
from loom.deploy.drift.live.pages import DeployedPages
from loom.deploy.drift.live.runner import Containers, Processes
from loom.errors import DriftError, EngineError

Case = Any


def running(case: Case, question: Any = q.PROMETHEUS) -> dict[str, Any]:  # noqa: ANN401 - a question
    """The configuration that Prometheus or Alertmanager runs, to be changed."""
    body = case.pages.answers[question].body
    text = body["data"]["yaml"] if question is q.PROMETHEUS else body["config"]["original"]
    return dict(yaml.safe_load(text))


def groups(case: Case) -> list[dict[str, Any]]:
    return copy.deepcopy(list(case.pages.answers[q.RULES].body["data"]["groups"]))


def test_what_runs_as_it_was_rendered_has_no_difference_and_says_what_was_compared(case: Case) -> None:
    report = case.inspect()
    assert list(report.differences) == []
    assert list(report.unreached) == []
    assert {one.program for one in report.asked} == {"prometheus", "alertmanager", "jaeger", "otel-collector"}
    assert {one.program for one in report.unasked} == {"grafana", "jaeger", "otel-collector"}
    assert "runs as it was rendered" in next(lines(report))


def test_a_change_that_prometheus_has_read_is_named_and_one_it_has_not_read_too(case: Case) -> None:
    case.edit("native/prometheus.yml", "scrape_interval: 5s", "scrape_interval: 7s")
    found = case.only()
    assert (found.path, found.rendered, found.live) == ("$.global.scrape_interval", "5s", "7s")
    assert "reads it at its next reload" in found.meaning
    changed = running(case)
    changed["global"]["scrape_interval"] = "7s"
    case.configure(q.PROMETHEUS, changed)
    found = case.only()
    assert (found.path, found.source) == ("$.global.scrape_interval", q.PROMETHEUS[2])
    assert "it has read it" in found.meaning


def test_a_program_that_runs_something_else_than_its_untouched_file_is_named(case: Case) -> None:
    changed = running(case)
    changed["storage"]["tsdb"]["retention"]["time"] = "1d"
    case.configure(q.PROMETHEUS, changed)
    found = case.only()
    assert (found.path, found.rendered, found.live) == ("$.storage.tsdb.retention.time", "7d", "1d")
    assert "its file is as rendered" in found.meaning


def test_another_spelling_another_order_and_defaults_are_no_difference(case: Case) -> None:
    changed = running(case)
    changed["storage"]["tsdb"]["retention"] = {"time": "1w", "size": "2GiB"}
    changed["scrape_configs"] = [
        {**job, "metrics_path": "/metrics", "scrape_interval": "5s"}
        for job in changed["scrape_configs"][::-1]
    ]
    base = case.rendered / "prometheus/rules/*.yaml"
    changed["rule_files"] = [str(base)]
    changed["runtime"] = {"gogc": 75}
    case.configure(q.PROMETHEUS, changed)
    assert list(case.inspect().differences) == []


def test_what_was_never_rendered_is_named_without_the_programs_defaults(case: Case) -> None:
    changed = running(case)
    changed["scrape_configs"].append({"job_name": "intruder", "scheme": "http", "honor_timestamps": True})
    changed["remote_write"] = [{"url": "http://elsewhere", "remote_timeout": "30s"}]
    case.configure(q.PROMETHEUS, changed)
    found = {one.path: one.live for one in case.inspect().differences}
    assert found == {
        "$.scrape_configs[intruder]": "{job_name: intruder}",
        "$.remote_write": "[{url: http://elsewhere}]",
    }


def test_a_scrape_job_that_is_gone_and_a_target_that_is_other_are_named(case: Case) -> None:
    changed = running(case)
    gone = changed["scrape_configs"].pop(1)["job_name"]
    changed["scrape_configs"][0]["static_configs"][0]["targets"] = ["127.0.0.1:1"]
    case.configure(q.PROMETHEUS, changed)
    first, second = sorted(case.inspect().differences, key=lambda one: one.live)
    assert (first.path, first.live) == (f"$.scrape_configs[{gone}]", "-")
    assert second.live == "127.0.0.1:1"


def test_a_changed_route_of_alertmanager_is_named_and_secrets_are_taken_as_there(case: Case) -> None:
    changed = running(case, q.ALERTMANAGER)
    changed["route"]["routes"].insert(0, {"receiver": "nobody", "matchers": ['severity="critical"']})
    changed["global"] = {"smtp_require_tls": True}
    case.configure(q.ALERTMANAGER, changed)
    found = case.only()
    assert found.program == "alertmanager"
    assert found.path.startswith("$.route.routes")
    assert 'severity="critical"' in found.live


def test_routes_in_another_order_are_a_difference_since_the_first_that_fits_wins(case: Case) -> None:
    changed = running(case, q.ALERTMANAGER)
    assert len(changed["route"]["routes"]) > 1
    changed["route"]["routes"].reverse()
    case.configure(q.ALERTMANAGER, changed)
    assert case.only().path == "$.route.routes (order)"


def test_a_rule_with_another_threshold_and_one_that_is_not_loaded_are_named(case: Case) -> None:
    changed = groups(case)
    rule = changed[0]["rules"][0]
    rule["query"] = rule["query"].replace(">", "<", 1)
    gone = changed[1]["rules"].pop()
    case.say(q.RULES, {"data": {"groups": changed}})
    found = case.inspect().differences
    assert [one.path.split()[-1] for one in found] == ["expr", gone["name"]]
    assert found[1].live == "-"
    assert "has not been read" in found[1].meaning


def test_a_rule_file_that_was_edited_and_not_read_yet_is_pending(case: Case) -> None:
    case.edit("prometheus/rules/loom-alerts.yaml", "for: 2m", "for: 47m")
    found = case.only()
    assert (found.source, found.live) == ("file prometheus/rules/loom-alerts.yaml", "edited by hand")
    assert "next reload" in found.meaning


def test_a_group_that_nobody_rendered_is_named(case: Case) -> None:
    extra = {"file": "/elsewhere/own.yaml", "name": "own", "rules": []}
    case.say(q.RULES, {"data": {"groups": [*groups(case), extra]}})
    assert case.only().path == "own.yaml group own"


def test_a_flag_a_limit_and_an_argument_that_are_other_are_named(case: Case) -> None:
    case.run("prometheus", **{"argument__--web.enable-admin-api": "true"})
    case.run("jaeger", environment__GOMEMLIMIT="1MiB")
    found = {(one.program, one.path): (one.rendered, one.live) for one in case.inspect().differences}
    assert found == {
        ("prometheus", "--web.enable-admin-api"): ("-", "true"),
        ("jaeger", "environment GOMEMLIMIT"): ("819MiB", "1MiB"),
    }


def test_what_prometheus_says_of_flags_reload_and_retention_is_believed(case: Case) -> None:
    flags = case.pages.answers[q.FLAGS].body["data"]
    case.say(q.FLAGS, {"data": {**flags, "enable-feature": ""}})
    case.say(q.RUNTIME, {"data": {"reloadConfigSuccess": False, "storageRetention": "1w or 1GiB"}})
    found = {one.path: one.live for one in case.inspect().differences}
    assert found == {"--enable-feature": "", "reloadConfigSuccess": "false", "storageRetention": "1GiB"}


def test_the_queue_that_the_collector_has_is_believed_more_than_its_file(case: Case) -> None:
    case.edit("native/otel-collector-config.yaml", "queue_size: 20000", "queue_size: 9")
    assert "before it was started" in case.only().meaning
    page = case.pages.answers[q.COLLECTOR]
    case.say(q.COLLECTOR, page.text.replace("20000", "9"))
    assert foreign.QUEUE_CAPACITY.name in case.only().meaning


def test_a_file_changed_after_the_start_of_a_program_that_says_nothing_is_pending(case: Case) -> None:
    case.edit("native/jaeger.yaml", "max_traces: 50000", "max_traces: 5")
    os.utime(case.rendered / "native/jaeger.yaml", (5e9, 5e9))
    found = case.only()
    assert (found.program, found.rendered, found.live) == ("jaeger", "50000", "5")
    assert "after it was started" in found.meaning


def test_a_file_that_is_no_yaml_any_more_or_gone_is_named(case: Case) -> None:
    (case.rendered / "native/jaeger.yaml").write_text("a: [")
    (case.rendered / "native/otel-collector-config.yaml").unlink()
    found = {one.program: one.live for one in case.inspect().differences}
    assert found == {"jaeger": "not YAML any more", "otel-collector": "-"}


def test_other_rendered_files_are_named_when_they_were_edited_and_documents_are_not(case: Case) -> None:
    (case.rendered / "native/supervisord.conf").write_text("")
    (case.rendered / "QUICKSTART.md").write_text("")
    found = case.only()
    assert (found.program, found.source) == ("files", "file native/supervisord.conf")


def test_another_version_of_a_program_is_named(case: Case) -> None:
    case.say(q.JAEGER, 'target_info{service_version="v1.0.0"} 1\n')
    found = case.only()
    assert (found.program, found.path, found.live) == ("jaeger", "version", "v1.0.0")


def test_what_does_not_run_or_does_not_answer_is_unreached_and_no_difference(case: Case) -> None:
    del case.runner.live["jaeger"]
    del case.pages.answers[q.RULES]
    case.say(q.FLAGS, {}, status=503)
    report = case.inspect()
    assert list(report.differences) == []
    assert [(one.program, one.why.split(":")[0]) for one in report.unreached] == [
        ("jaeger", "it does not run"),
        ("prometheus", "answers 503"),
        ("prometheus", "does not answer"),
    ]
    assert "no differences in what answered" in next(lines(report))


def test_an_answer_of_another_shape_is_unreached(case: Case) -> None:
    case.say(q.PROMETHEUS, {"data": "another program altogether"})
    [found] = case.inspect().unreached
    assert (found.program, found.why) == ("prometheus", "answers something else than it should")


def test_a_page_that_refuses_us_is_named_as_not_asked(case: Case) -> None:
    case.say(q.ALERTMANAGER, {}, status=401)
    report = case.inspect()
    assert list(report.unreached) == []
    assert any("answers 401" in one.why for one in report.unasked)


def test_the_values_of_secret_variables_are_never_shown(case: Case) -> None:
    case.runner.rendered["jaeger"] = Program({"environment GF_ADMIN_PASSWORD": "canary-one"})
    case.runner.live["jaeger"] = Program({"environment GF_ADMIN_PASSWORD": "canary-two"})
    report = case.inspect()
    assert len(report.differences) == 1
    assert "canary" not in "\n".join(lines(report)) + str(document(report))


def test_an_engine_without_rendered_programs_and_a_damaged_manifest_are_refused(case: Case) -> None:
    with pytest.raises(EngineError, match="nothing can drift"):
        inspect(replace(case.deployment, engine="embedded"))
    (case.rendered / ".loom-manifest.json").write_text("{")
    with pytest.raises(DriftError, match="cannot be read"):
        case.inspect()


def test_the_real_seams_say_of_a_deployment_that_is_not_there_that_nothing_runs(case: Case) -> None:
    assert Processes().running(case.deployment) == {}
    assert Processes().unknown({}) == {}
    assert Containers.source != Processes.source
    assert DeployedPages(case.deployment).get(q.BUILD).status == 0
