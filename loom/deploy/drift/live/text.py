"""The report for people."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from loom.deploy.drift.live.model import Report, Silence


def lines(report: Report) -> Iterator[str]:
    """A headline, differences by program, what was compared, what could not be; without line ends."""
    yield _headline(report)
    for program, found in groupby(report.differences, key=lambda one: one.program):
        yield ""
        yield program
        for one in found:
            yield f"  {one.path}"
            yield f"      rendered: {one.rendered} · live: {one.live}   ({one.source})"
            if one.meaning:
                yield f"      {one.meaning}"
    yield ""
    yield from _silences("did not answer:", report.unreached)
    yield f"compared: {_compared(report)}"
    yield from _silences("not asked:", report.unasked)


def _headline(report: Report) -> str:
    number = len(report.differences)
    said = f"{number} difference{'s' * (number > 1)}" if number else "runs as it was rendered"
    if not number and report.unreached:
        said = "no differences in what answered"
    return f"{report.name} ({report.engine}): {said}"


def _compared(report: Report) -> str:
    parts = []
    for program, found in groupby(
        sorted(report.asked, key=lambda one: one.program), key=lambda one: one.program
    ):
        sources = [f"{one.source} {one.values}" for one in found]
        parts.append(f"{program} ({', '.join(sources)})")
    return ", ".join(parts) or "nothing"


def _silences(title: str, silences: Sequence[Silence]) -> Iterator[str]:
    if silences:
        yield title
    for one in silences:
        yield f"  {one.program} {one.source}: {one.why}"
