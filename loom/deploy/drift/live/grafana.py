"""Grafana's data sources and dashboards as it says them, against the rendered ones. Pure data."""

import json
from collections.abc import Iterator
from typing import Any

from loom.deploy.drift.live.evidence import Evidence, Page
from loom.deploy.drift.live.markup import parsed
from loom.deploy.drift.live.model import ABSENT, Difference
from loom.deploy.drift.live.question import BOARDS, SOURCES
from loom.deploy.drift.live.tree import show
from loom.deploy.plan.model import Service

_PROVISIONED, _DASHBOARDS = "grafana/provisioning/datasources/", "grafana/dashboards/"
_COMPARED = ("name", "type", "url", "access", "isDefault")


def differences(evidence: Evidence) -> Iterator[Difference]:
    """Data sources by their uid, and whether each dashboard is there under its title."""
    yield from _sources(evidence, evidence.pages.get(SOURCES))
    yield from _boards(evidence, evidence.pages.get(BOARDS))


def _sources(evidence: Evidence, page: Page | None) -> Iterator[Difference]:
    if page is None or not isinstance(page.at(), list):
        return
    live = {one.get("uid"): one for one in page.body}
    wanted = {one["uid"]: one for one in _rendered_sources(evidence)}
    for uid in sorted({*wanted, *live}, key=str):
        ours, theirs = wanted.get(uid), live.get(uid)
        if ours is None or theirs is None:
            sides = ("rendered", ABSENT) if ours else (ABSENT, show(theirs and theirs.get("name")))
            yield Difference(str(Service.GRAFANA), SOURCES[2], f"data source {uid}", *sides)
            continue
        for key in _COMPARED:
            if key in ours and ours[key] != theirs.get(key):
                pair = show(ours[key]), show(theirs.get(key))
                yield Difference(str(Service.GRAFANA), SOURCES[2], f"data source {uid} {key}", *pair)


def _rendered_sources(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for path, file in evidence.files.items():
        if path.startswith(_PROVISIONED):
            document = parsed(file.rendered)
            yield from (one for one in document.get("datasources") or () if "uid" in one)


def _boards(evidence: Evidence, page: Page | None) -> Iterator[Difference]:
    if page is None or not isinstance(page.at(), list):
        return
    live = {one.get("uid"): str(one.get("title")) for one in page.body}
    for path, file in evidence.files.items():
        if path.startswith(_DASHBOARDS) and path.endswith(".json"):
            board = json.loads(file.rendered)
            title = live.get(board["uid"], ABSENT)
            if title != board["title"]:
                where = f"dashboard {board['uid']}"
                yield Difference(str(Service.GRAFANA), BOARDS[2], where, board["title"], title)
