"""Evidence to report: every part judged, what did not answer named, and one thing said once. Pure data."""

from collections.abc import Iterator, Mapping, Sequence

from loom.deploy.drift.live import configuration, grafana, program, rules, statement
from loom.deploy.drift.live import question as q
from loom.deploy.drift.live.evidence import OK, Evidence, Page, Question
from loom.deploy.drift.live.model import ABSENT, Asked, Difference, Silence

_DOCUMENTS = (".md",)
_FORBIDDEN = {401, 403}


def differences(evidence: Evidence, source: str) -> tuple[Difference, ...]:
    """All of them, by program; `source` says who told what runs."""
    found = list(_found(evidence, source))
    once: dict[tuple[str, str, str], Difference] = {}
    for one in found:
        once.setdefault((one.program, one.path, one.live), one)
    order = {name: number for number, name in enumerate(evidence.wanted)}
    return tuple(sorted(once.values(), key=lambda one: order.get(one.program, len(order))))


def _found(evidence: Evidence, source: str) -> Iterator[Difference]:
    yield from statement.differences(evidence)  # first: what runs is more than what lies in a file
    for service, running in evidence.running.items():
        yield from program.differences(service, source, evidence.wanted[service], running)
        yield from configuration.differences(service, evidence)
    yield from rules.differences(evidence)
    yield from grafana.differences(evidence)
    yield from _files(evidence)


def _files(evidence: Evidence) -> Iterator[Difference]:
    """Rendered files that no program was asked about, edited by hand: by their names only."""
    known = {configuration.path(service, evidence) for service in evidence.wanted}
    answered = evidence.pages.get(q.RULES)
    for path, file in evidence.files.items():
        compared = path in known or (answered and path.startswith(rules.FOLDER)) or path.endswith(_DOCUMENTS)
        if file.edited and not compared:
            live = ABSENT if file.now is None else "edited by hand"
            yield Difference(
                "files", f"file {path}", "$", "as rendered", live, "loom-deploy render --check shows it"
            )


def asked(evidence: Evidence, source: str) -> tuple[Asked, ...]:
    """What answered, and how much was compared."""
    programs = [Asked(service, source, len(evidence.wanted[service].facts)) for service in evidence.running]
    pages = [
        Asked(str(question[0]), question[2], _values(question[2], str(question[0]), evidence))
        for question, page in evidence.pages.items()
        if page.status == OK
    ]
    return (*programs, *pages)


def _values(path: str, service: str, evidence: Evidence) -> int:
    if path in {q.PROMETHEUS[2], q.ALERTMANAGER[2]}:
        return configuration.values(service, evidence)
    if path == q.RULES[2]:
        return sum(len(group["rules"]) for group in rules.rendered(evidence).values())
    return 1


def unasked(evidence: Evidence, unknown: Mapping[str, Sequence[str]], *, inside: bool) -> tuple[Silence, ...]:
    """What there is no way to ask, each with the reason."""
    found = [Silence(service, "program", why) for service, why in evidence.unasked.items()]
    found += [
        Silence(str(service), "configuration", why)
        for name, why in q.WORDLESS.items()
        for service in q.services(evidence.plan, name)
        if service in evidence.running
    ]
    found += [
        Silence(str(question[0]), question[2], "its port is not published: it cannot be asked from here")
        for question in q.questions(evidence.plan)
        if question[0] in evidence.running and not q.reachable(evidence.plan, question, inside=inside)
    ]
    found += [
        Silence(service, "container", f"not compared: {', '.join(keys)}")
        for service, keys in unknown.items()
        if service in evidence.running
    ]
    return (*found, *_refused(evidence))


def _refused(evidence: Evidence) -> Iterator[Silence]:
    for question, page in evidence.pages.items():
        if page.status in _FORBIDDEN:
            yield Silence(str(question[0]), question[2], f"it answers {page.status}: we may not ask this")


def unreached(evidence: Evidence) -> tuple[Silence, ...]:
    """What should run or answer, and does not."""
    down = [
        Silence(service, "program", "it does not run: loom-deploy status")
        for service in evidence.wanted
        if service not in evidence.running
    ]
    silent = [
        Silence(str(question[0]), question[2], why)
        for question, page in evidence.pages.items()
        if (why := _why(question, page))
    ]
    return (*down, *silent)


def _why(question: Question, page: Page) -> str:
    """Why an answer is none; empty when it is one, or we may not have it."""
    if page.status in _FORBIDDEN:
        return ""
    if page.status != OK:
        return f"answers {page.status}" if page.status else f"does not answer: {page.text}"
    shape = q.SHAPES.get(question)
    return "answers something else than it should" if shape and page.at(*shape) is None else ""
