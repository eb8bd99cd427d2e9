"""What configuration a program says it runs, and its file, against what was rendered. Pure data."""

import os.path
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import yaml

from loom.deploy.drift.live import defaults, tree
from loom.deploy.drift.live.evidence import Evidence, File, Page, Program
from loom.deploy.drift.live.markup import parsed
from loom.deploy.drift.live.model import ABSENT, Difference
from loom.deploy.drift.live.question import ALERTMANAGER, PROMETHEUS, SHAPES
from loom.deploy.drift.live.tree import Gap, Manner
from loom.deploy.plan.model import Service

_QUESTIONS = {str(one[0]): one for one in (PROMETHEUS, ALERTMANAGER)}
"""Service → where it says what it runs."""
_ARGUMENTS = ("argument --config", "argument --config.file")
_INHERITED = ("scrape_interval", "scrape_timeout", "scrape_protocols", "evaluation_interval")
"""What a scrape job has from `global`."""
_EXACT = Manner({})
_YAML = (".yaml", ".yml")
_TAKEN = "its file was edited by hand, and it has read it"
_PENDING = "its file was edited by hand; it reads it at its next reload or start"
_STARTED = "its file was edited by hand before it was started"
_LATER = "its file was edited by hand after it was started; it reads it at SIGHUP or at its next start"
_OLDER = "its file is as rendered: it runs what it read before, or from elsewhere"


def path(service: str, evidence: Evidence) -> str:
    """The rendered YAML file that a program was told to read; empty when it was told none."""
    wanted = evidence.wanted[service]
    told = next((str(wanted.facts[name]) for name in _ARGUMENTS if name in wanted.facts), "")
    found = wanted.mounts.get(told, "")
    if told.startswith(evidence.root):
        found = os.path.relpath(told, evidence.root)
    return found if found.endswith(_YAML) else ""


def differences(service: str, evidence: Evidence) -> Iterator[Difference]:
    """What its configuration differs in, as it says itself, and as its file does."""
    name = path(service, evidence)
    file = evidence.files.get(name)
    if file is None:
        return
    edits = {gap.path: gap for gap in edited(file)}
    said = list(_said(service, evidence, file))
    for gap in said:
        meaning = _TAKEN if gap.path in edits else _OLDER
        yield Difference(service, _source(service), gap.path, gap.rendered, gap.live, meaning)
    meaning = _pending(service, evidence, file)
    for gap in edits.values():
        if gap.path not in {one.path for one in said}:
            yield Difference(service, f"file {name}", gap.path, gap.rendered, gap.live, meaning)


def edited(file: File) -> Iterator[Gap]:
    """What was changed in a file; `$` where it cannot be read any more."""
    if not file.edited:
        return
    if file.now is None:
        yield Gap("$", "a file", ABSENT)
        return
    try:
        found = list(tree.compare(parsed(file.rendered), parsed(file.now), _EXACT))
    except yaml.YAMLError:
        yield Gap("$", "YAML", "not YAML any more")
        return
    yield from found


def values(service: str, evidence: Evidence) -> int:
    """How many rendered values its own answer was compared with."""
    file = evidence.files.get(path(service, evidence))
    return tree.count(parsed(file.rendered)) if file else 0


def answer(service: str, evidence: Evidence) -> Page | None:
    """What it said; None when it has no such page, or was not asked."""
    return evidence.pages.get(_QUESTIONS[service]) if service in _QUESTIONS else None


def _source(service: str) -> str:
    return _QUESTIONS[service][2]


def _pending(service: str, evidence: Evidence, file: File) -> str:
    if service in _QUESTIONS:
        return _PENDING
    running = evidence.running.get(service, Program({}))
    return _LATER if file.changed > running.started else _STARTED


def _said(service: str, evidence: Evidence, file: File) -> Iterator[Gap]:
    page = answer(service, evidence)
    text = page.at(*SHAPES[_QUESTIONS[service]]) if page else None
    if text is None:
        return
    running = parsed(str(text))
    manner = _manner(service, running, evidence)
    yield from tree.compare(parsed(file.rendered), running, manner)


def _manner(service: str, running: Mapping[str, Any], evidence: Evidence) -> Manner:
    wanted = evidence.wanted[service].facts
    told = next((str(wanted[name]) for name in _ARGUMENTS if name in wanted), "")
    base = str(PurePosixPath(told).parent)
    if service == Service.ALERTMANAGER:
        names = {"labels": tuple({"name": one.get("name")} for one in running.get("receivers") or ())}
        return Manner({**defaults.ALERTMANAGER, **names}, base, defaults.RECEIVER)
    return replace(_EXACT, defaults={**defaults.PROMETHEUS, **_inherited(running)}, base=base)


def _inherited(running: Mapping[str, Any]) -> dict[str, tuple[object, ...]]:
    """A job that was rendered without an interval has the global one; the default is one too."""
    told = running.get("global") or {}
    return {key: (*defaults.PROMETHEUS.get(key, ()), told[key]) for key in _INHERITED if key in told}
