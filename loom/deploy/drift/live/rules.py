"""The rules that Prometheus says it evaluates, against the rendered rule files. Pure data."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from loom.deploy.drift.live.evidence import Evidence
from loom.deploy.drift.live.markup import parsed
from loom.deploy.drift.live.model import ABSENT, Difference
from loom.deploy.drift.live.question import RULES, SHAPES
from loom.deploy.drift.live.scalar import alike
from loom.deploy.drift.live.tree import show
from loom.deploy.plan.model import Service

FOLDER = "prometheus/rules/"
"""Where the rule files lie among the rendered ones."""
_EDITED = "its file was edited by hand"
_NOT_LOADED = "its file is as rendered: it has not been read since it was, or not from there"

Rule = Mapping[str, Any]
Groups = dict[tuple[str, str], Mapping[str, Any]]
"""File and group → the group."""


def differences(evidence: Evidence) -> Iterator[Difference]:
    """Groups and rules that differ, are not loaded, or were never rendered."""
    page = evidence.pages.get(RULES)
    groups = page.at(*SHAPES[RULES]) if page else None
    if groups is None:
        return
    wanted = rendered(evidence)
    live = {(PurePosixPath(one["file"]).name, one["name"]): one for one in groups}
    yield from _pending(evidence, found := list(_differing(evidence, wanted, live)))
    yield from found


def _pending(evidence: Evidence, found: Sequence[Difference]) -> Iterator[Difference]:
    """Files that were edited, and of which nothing is to be seen in what is evaluated."""
    for path, file in evidence.files.items():
        seen = any(one.path.startswith(f"{PurePosixPath(path).name} ") for one in found)
        if path.startswith(FOLDER) and file.edited and not seen:
            live = ABSENT if file.now is None else "edited by hand"
            told = "what it evaluates is as rendered; it reads the file at its next reload or start"
            yield Difference(str(Service.PROMETHEUS), f"file {path}", "rules", "as rendered", live, told)


def _differing(evidence: Evidence, wanted: Groups, live: Groups) -> Iterator[Difference]:
    for key in dict.fromkeys((*wanted, *live)):
        where = f"{key[0]} group {key[1]}"
        meaning = _meaning(evidence, key[0])
        if key not in live or key not in wanted:
            sides = ("rendered", ABSENT) if key in wanted else (ABSENT, "evaluated")
            yield Difference(str(Service.PROMETHEUS), RULES[2], where, *sides, meaning)
        else:
            yield from _group(where, wanted[key], live[key], meaning)


def rendered(evidence: Evidence) -> Groups:
    """The groups of all rendered rule files."""
    return {
        (PurePosixPath(path).name, group["name"]): group
        for path, file in evidence.files.items()
        if path.startswith(FOLDER)
        for group in (parsed(file.rendered) or {}).get("groups") or ()
    }


def _meaning(evidence: Evidence, name: str) -> str:
    file = evidence.files.get(FOLDER + name)
    return _EDITED if file is None or file.edited else _NOT_LOADED


def _group(where: str, wanted: Rule, live: Rule, meaning: str) -> Iterator[Difference]:
    ours, theirs = _named(wanted["rules"]), _named(live["rules"])
    told: list[tuple[str, object, object]] = []
    if "interval" in wanted:
        told.append(("interval", wanted["interval"], f"{live.get('interval')}s"))
    for name in dict.fromkeys((*ours, *theirs)):
        if name not in ours or name not in theirs:
            sides = ("rendered", ABSENT) if name in ours else (ABSENT, show(theirs[name].get("query")))
            yield Difference(str(Service.PROMETHEUS), RULES[2], f"{where} {name}", *sides, meaning)
        else:
            told += [(f"{name} {key}", *pair) for key, pair in _facts(ours[name], theirs[name]).items()]
    for key, one, other in told:
        if not alike(one, other):
            sides = (show(one), show(other))
            yield Difference(str(Service.PROMETHEUS), RULES[2], f"{where} {key}", *sides, meaning)


def _named(rules: Sequence[Rule]) -> dict[str, Rule]:
    """By name; the second of a name, for another severity, has its number behind it."""
    found: dict[str, Rule] = {}
    for rule in rules:
        name = str(rule.get("alert") or rule.get("record") or rule.get("name"))
        again = sum(1 for known in found if known.partition(" #")[0] == name)
        found[f"{name} #{again + 1}" if again else name] = rule
    return found


def _facts(wanted: Rule, live: Rule) -> dict[str, tuple[object, object]]:
    """Key → what was rendered, and what is evaluated."""
    facts: dict[str, tuple[object, object]] = {
        "expr": (_query(wanted["expr"]), _query(live["query"])),
        "for": (wanted.get("for", "0s"), f"{live.get('duration', 0):g}s"),
        "keep_firing_for": (wanted.get("keep_firing_for", "0s"), f"{live.get('keepFiringFor', 0):g}s"),
    }
    for kind in ("labels", "annotations"):
        ours, theirs = wanted.get(kind) or {}, live.get(kind) or {}
        facts |= {f"{kind}.{key}": (ours.get(key), theirs.get(key)) for key in {**ours, **theirs}}
    return facts


def _query(text: str) -> str:
    """The query as the parser writes it, whatever its spaces."""
    import promql_parser  # noqa: PLC0415 - a compiled library, and only this needs it

    try:
        return str(promql_parser.parse(text).prettify())
    except ValueError:
        return " ".join(text.split())
