"""Grafana: its data sources, the dashboards that it would reject, and what a running one has loaded."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from loom.deploy.artifacts.grafana import FOLDER, PROMETHEUS_UID, metrics_service
from loom.deploy.doctor.checks import steps
from loom.deploy.doctor.checks.configuration import parsed
from loom.deploy.doctor.checks.services import answers
from loom.deploy.doctor.evidence import Answer, Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok
from loom.deploy.doctor.questions import GRAFANA_SEARCH, GRAFANA_SOURCES
from loom.deploy.doctor.stack import Endpoint
from loom.deploy.plan.model import Plan, Purpose, Service, Site

SOURCES, DASHBOARDS, LIVE_SOURCES, LIVE_DASHBOARDS = (
    "data-sources",
    "dashboards",
    "grafana-data-sources",
    "grafana-dashboards",
)
_BUILT_IN = ("$", "--", "grafana", "-100")
"""How the uid of a source begins that nobody provisions: a variable, or Grafana's own."""
_UNAUTHORIZED = (401, 403)


def judge_sources(evidence: Evidence) -> Judgement:
    """Data sources have the uid that dashboards use, and a URL that leads somewhere."""
    sources = [source for text in _provisioned(evidence) for source in _rows(text)]
    if not sources:
        return not_applicable("no provisioned data source is at hand (--config)")
    uids = {str(source.get("uid", "")) for source in sources}
    faults = [fault for source in sources for fault in _url_faults(source, evidence.stack.plan)]
    used = {uid for _, board in _boards(evidence) for uid in _used(board)}
    used |= {uid for source in sources for uid in _used(source)}
    missing = sorted(uid for uid in used - uids if not uid.startswith(_BUILT_IN))
    if missing:
        said = f"dashboards and links use {', '.join(missing)}; provisioned are {', '.join(sorted(uids))}"
        return broken(said, f"write uid: {missing[0]} in grafana/provisioning/datasources, restart Grafana")
    if faults:
        return broken("; ".join(faults), "correct url in grafana/provisioning/datasources, restart Grafana")
    return ok(", ".join(f"{source.get('uid')} at {source.get('url')}" for source in sources))


def judge_dashboards(evidence: Evidence) -> Judgement:
    """Grafana takes every dashboard file."""
    boards = dict(_boards(evidence))
    if not boards:
        return not_applicable("no dashboard file is at hand (--config)")
    folders = _folders(evidence)
    faults = [f"{path}: {fault}" for path, board in boards.items() for fault in _faults(board, folders)]
    counted = Counter(str(board.get("uid", "")) for board in boards.values() if isinstance(board, dict))
    faults += [f"uid {uid} stands in {count} files" for uid, count in counted.items() if uid and count > 1]
    if faults:
        return broken(
            "; ".join(faults),
            "export it as classic JSON, the bare dashboard, with a title and uid of its own",
        )
    return ok(f"{len(boards)} dashboards")


def judge_live_sources(evidence: Evidence) -> Judgement:
    """The running Grafana has the data source that dashboards use."""
    answer = _asked(evidence, GRAFANA_SOURCES)
    if not isinstance(answer, Answer):
        return answer
    uids = [str(row.get("uid")) for row in answer.json or ()]
    if PROMETHEUS_UID in uids:
        return ok(f"data sources {', '.join(uids)}")
    said = f"Grafana has {', '.join(uids) or 'no data source'}, dashboards use {PROMETHEUS_UID}"
    return broken(said, "mount grafana/provisioning, and restart Grafana")


def judge_live_dashboards(evidence: Evidence) -> Judgement:
    """The running Grafana has loaded every dashboard file."""
    answer = _asked(evidence, GRAFANA_SEARCH)
    if not isinstance(answer, Answer):
        return answer
    loaded = {str(row.get("uid")) for row in answer.json or ()}
    files = {str(board.get("uid")): path for path, board in _boards(evidence) if isinstance(board, dict)}
    missing = sorted(path for uid, path in files.items() if uid not in loaded)
    if missing:
        return broken(
            f"not loaded: {', '.join(missing)}", "docker logs loom-grafana says why it was rejected"
        )
    return ok(f"{len(loaded)} dashboards are loaded")


def _asked(evidence: Evidence, path: str) -> Answer | Judgement:
    answer = evidence.asked(Endpoint.GRAFANA, path)
    if answer is None:
        return not_applicable("no running Grafana can be asked (--endpoint grafana=…)")
    if answer.status in _UNAUTHORIZED:
        scheme = answer.url.partition("://")[0]
        return cannot_tell(answer.said, f"--endpoint grafana={scheme}://USER:PASSWORD@HOST:3000")
    if not answer.good or not isinstance(answer.json, list):
        return cannot_tell(f"{answer.said}, without a list")
    return answer


def _provisioned(evidence: Evidence, kind: str = "datasources") -> list[str]:
    return [
        text
        for path, text in evidence.files.items()
        if kind in PurePosixPath(path).parts and "provisioning" in PurePosixPath(path).parts
    ]


def _rows(text: str, key: str = "datasources") -> list[dict[str, Any]]:
    try:
        document = parsed(text)
    except ValueError:
        return []
    rows = document.get(key) if isinstance(document, dict) else None
    return [row for row in rows or () if isinstance(row, dict)]


def _boards(evidence: Evidence) -> Iterator[tuple[str, Any]]:
    """Path → dashboard; None for what is not JSON."""
    for path, text in evidence.files.items():
        if PurePosixPath(path).parent.name == "dashboards" and path.endswith(".json"):
            try:
                yield path, json.loads(text)
            except ValueError:
                yield path, None


def _folders(evidence: Evidence) -> set[str]:
    texts = _provisioned(evidence, "dashboards")
    found = {str(row.get("folder", "")) for text in texts for row in _rows(text, "providers")}
    return (found or {FOLDER}) - {""}


def _faults(board: object, folders: set[str]) -> Iterator[str]:
    if not isinstance(board, dict):
        yield "is no JSON object"
    elif "dashboard" in board and "panels" not in board:
        yield "is wrapped in {\"dashboard\": …}: Grafana says 'Dashboard title cannot be empty'"
    elif "elements" in board or "spec" in board or "apiVersion" in board:
        yield "is of schema v2, which file provisioning does not take"
    elif not str(board.get("title") or "").strip():
        yield "has no title: Grafana says 'Dashboard title cannot be empty'"
    elif board["title"] in folders:
        yield "has the folder's title: Grafana says 'Dashboard name cannot be the same as folder'"


def _used(node: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Every uid of a data source that a document refers to."""
    if isinstance(node, list):
        for item in node:
            yield from _used(item)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "datasourceUid" and isinstance(value, str):
            yield value
        elif key == "datasource" and isinstance(value, dict) and isinstance(value.get("uid"), str):
            yield value["uid"]
        else:
            yield from _used(value)


def _url_faults(source: dict[str, Any], plan: Plan | None) -> Iterator[str]:
    url, kind = str(source.get("url", "")).rstrip("/"), source.get("type")
    if "://localhost" in url or "://127.0.0.1" in url:
        yield f"{source.get('uid')} has url {url}, which inside Grafana's container is Grafana itself"
    elif plan and kind in _SERVICES:
        service = _SERVICES[kind] or metrics_service(plan)
        wanted = plan.url(service, Purpose.UI, Site.COMPOSE)
        if url != wanted:
            yield f"{source.get('uid')} has url {url}, {kind} is at {wanted}"


_SERVICES = {"prometheus": None, "jaeger": Service.JAEGER, "alertmanager": Service.ALERTMANAGER}
"""Who is behind a data source of a type; None: whoever answers questions about metrics."""
_LIVE = (answers(Service.GRAFANA),)
CHECKS = (
    Check(SOURCES, "Grafana's data sources are those that dashboards use", steps.SOURCE, judge_sources),
    Check(DASHBOARDS, "Grafana takes every dashboard", steps.BEYOND, judge_dashboards),
    Check(
        LIVE_SOURCES,
        "Grafana has loaded its data sources",
        steps.SOURCE,
        judge_live_sources,
        (SOURCES, *_LIVE),
    ),
    Check(
        LIVE_DASHBOARDS,
        "Grafana has loaded every dashboard",
        steps.BEYOND,
        judge_live_dashboards,
        (DASHBOARDS, *_LIVE),
    ),
)
