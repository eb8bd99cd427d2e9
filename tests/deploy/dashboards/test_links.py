"""Where a dashboard leads: to the other dashboards, and from a latency to its traces."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from loom.deploy.artifacts.grafana import JAEGER_UID

Documents = dict[str, dict[str, Any]]


def _panels(documents: Documents) -> Iterator[dict[str, Any]]:
    for document in documents.values():
        yield from (panel for panel in document["panels"] if panel["type"] != "row")


def test_dashboards_link_to_each_other_in_sight_and_keep_time_and_choice(documents: Documents) -> None:
    for document in documents.values():
        menu = document["links"][0]
        assert menu["type"] == "dashboards"
        assert set(menu["tags"]) <= set(document["tags"])
        assert menu["asDropdown"]
        assert menu["includeVars"]
        assert menu["keepTime"]
        assert all("placement" not in link for link in document["links"])


def test_a_latency_shows_its_exemplars_once(documents: Documents) -> None:
    for panel in _panels(documents):
        drawn = [target for target in panel["targets"] if not target["instant"]]
        quantiles = [target for target in drawn if "histogram_quantile" in target["expr"]]
        assert sum(target["exemplar"] for target in quantiles) == bool(quantiles), panel["title"]


@pytest.mark.parametrize(
    ("uid", "operation"),
    [("loom-event-bus", "publish"), ("loom-action-broker", "invoke"), ("loom-agents", "run")],
)
def test_a_line_of_a_service_leads_to_its_traces(documents: Documents, uid: str, operation: str) -> None:
    links = [
        link
        for panel in _panels({uid: documents[uid]})
        for link in panel["fieldConfig"]["defaults"].get("links", ())
    ]
    assert len(links) == 1
    address = links[0]["url"]
    assert "${__field.labels.job}" in address
    panes = json.loads(parse_qs(urlsplit(address).query)["panes"][0])
    query = panes["loom"]["queries"][0]
    assert query["datasource"]["uid"] == JAEGER_UID
    assert (query["queryType"], query["operation"]) == ("search", operation)
