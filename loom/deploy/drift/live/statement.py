"""What programs say besides their configuration: versions, flags, retention, queues. Pure data."""

from collections.abc import Iterator, Mapping
from typing import Any

from loom.contract import foreign
from loom.deploy.doctor import exposition
from loom.deploy.drift.live import configuration
from loom.deploy.drift.live.evidence import OK, Evidence, Page, Question
from loom.deploy.drift.live.markup import parsed
from loom.deploy.drift.live.model import ABSENT, Difference
from loom.deploy.drift.live.question import ALERTMANAGER, BUILD, FLAGS, METRICS, RUNTIME, services
from loom.deploy.drift.live.scalar import alike
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.programs import OTELCOL

_INFO = "target_info"
_QUEUED = f"the running collector's {foreign.QUEUE_CAPACITY.name} says so"


def differences(evidence: Evidence) -> Iterator[Difference]:
    """Of every program that answered."""
    yield from _versions(evidence)
    yield from _flags(evidence)
    yield from _runtime(evidence)
    yield from _queues(evidence)


def _versions(evidence: Evidence) -> Iterator[Difference]:
    for question, version in _said_versions(evidence).items():
        service = question[0]
        wanted = evidence.plan.container(service).program.version
        if version and version.lstrip("v") != wanted.lstrip("v"):
            meaning = "configuration and rules were checked by the other version"
            yield Difference(str(service), question[2], "version", wanted, version, meaning)


def _said_versions(evidence: Evidence) -> dict[Question, str]:
    found = {BUILD: str(_data(evidence.pages.get(BUILD)).get("version", ""))}
    status = evidence.pages.get(ALERTMANAGER)
    found[ALERTMANAGER] = str((status and status.at("versionInfo", "version")) or "")
    for question, page in evidence.pages.items():
        points = exposition.read(_text(page)).all(_INFO) if question[2] == METRICS else ()
        if points:
            found[question] = points[0].labels.get("service_version", "")
    return found


def _flags(evidence: Evidence) -> Iterator[Difference]:
    """What the command line asked for, and Prometheus has taken otherwise."""
    said = _data(evidence.pages.get(FLAGS))
    wanted = evidence.wanted.get(FLAGS[0])
    for name, value in (wanted.facts if wanted else {}).items():
        flag = name.removeprefix("argument --")
        if name.startswith("argument --") and flag in said and not alike(value, said[flag]):
            yield Difference(FLAGS[0], FLAGS[2], f"--{flag}", str(value), str(said[flag]))


def _runtime(evidence: Evidence) -> Iterator[Difference]:
    said = _data(evidence.pages.get(RUNTIME))
    if said and said.get("reloadConfigSuccess") is False:
        meaning = "it could not read its file, and runs what it read before: loom-deploy logs prometheus"
        yield Difference(RUNTIME[0], RUNTIME[2], "reloadConfigSuccess", "true", "false", meaning)
    kept = _rendered(Service.PROMETHEUS, evidence).get("storage", {}).get("tsdb", {}).get("retention", {})
    parts = str(said.get("storageRetention", "")).split(" or ")
    for part, wanted in zip(parts if said else (), (kept.get("time"), kept.get("size")), strict=False):
        if wanted and not alike(wanted, part):
            meaning = "what it keeps, whatever its file says"
            yield Difference(RUNTIME[0], RUNTIME[2], "storageRetention", str(wanted), part, meaning)


def _queues(evidence: Evidence) -> Iterator[Difference]:
    """The sending queues that each collector has, against those of its rendered file."""
    for service in services(evidence.plan, OTELCOL.name):
        page = evidence.pages.get((service, Purpose.TELEMETRY, METRICS))
        if page is None or page.status != OK or service not in evidence.wanted:
            continue
        said = exposition.read(page.text).all(foreign.QUEUE_CAPACITY.name)
        live = {point.labels.get("exporter", ""): f"{point.value:.12g}" for point in said}
        rendered = _rendered_queues(service, evidence)
        for exporter in sorted({*live, *rendered}):
            pair = rendered.get(exporter, ABSENT), live.get(exporter, ABSENT)
            if pair[0] != pair[1]:
                where = f"$.exporters.{exporter}.sending_queue.queue_size"
                yield Difference(str(service), METRICS, where, *pair, _QUEUED)


def _rendered_queues(service: Service, evidence: Evidence) -> dict[str, str]:
    exporters = _rendered(service, evidence).get("exporters", {})
    queues = {name: (one or {}).get("sending_queue") for name, one in exporters.items()}
    return {
        name: str(queue["queue_size"]) for name, queue in queues.items() if queue and "queue_size" in queue
    }


def _rendered(service: Service, evidence: Evidence) -> Mapping[str, Any]:
    """The rendered configuration of a service; empty when it has none."""
    file = evidence.files.get(configuration.path(service, evidence)) if service in evidence.wanted else None
    return parsed(file.rendered) if file else {}


def _data(page: Page | None) -> Mapping[str, Any]:
    data = page.at("data") if page else None
    return data if isinstance(data, Mapping) else {}


def _text(page: Page | None) -> str:
    return page.text if page and page.status == OK else ""
