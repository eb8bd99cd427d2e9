"""What Grafana says of its data sources and dashboards; it is data here, since no test can start it."""

import json
from typing import Any

import pytest
import yaml

from loom.deploy.drift.live import Program
from loom.deploy.drift.live import question as q

Case = Any


@pytest.fixture
def grafana(case: Case) -> Case:
    """The case, and Grafana beside it with all that was rendered for it."""
    case.runner.rendered["grafana"] = case.runner.live["grafana"] = Program({})
    files = sorted((case.rendered / "grafana/provisioning/datasources").iterdir())
    sources = [one for file in files for one in yaml.safe_load(file.read_text())["datasources"]]
    boards = [json.loads(file.read_text()) for file in (case.rendered / "grafana/dashboards").iterdir()]
    assert sources
    assert boards
    case.say(q.SOURCES, [{**one, "id": 1, "readOnly": True} for one in sources])
    case.say(q.BOARDS, [{"uid": one["uid"], "title": one["title"]} for one in boards])
    return case


def test_grafana_with_what_was_rendered_has_no_difference(grafana: Case) -> None:
    report = grafana.inspect()
    assert list(report.differences) == []
    assert "grafana" in {one.program for one in report.asked}


def test_another_address_a_source_more_and_a_dashboard_less_are_named(grafana: Case) -> None:
    sources = [dict(one) for one in grafana.pages.answers[q.SOURCES].body]
    sources[0]["url"] = "http://elsewhere"
    grafana.say(q.SOURCES, [*sources, {"uid": "own", "name": "Own"}])
    gone, *kept = grafana.pages.answers[q.BOARDS].body
    grafana.say(q.BOARDS, kept)
    found = {one.path: one.live for one in grafana.inspect().differences}
    assert found == {
        f"data source {sources[0]['uid']} url": "http://elsewhere",
        "data source own": "Own",
        f"dashboard {gone['uid']}": "-",
    }
