"""A report for people: problems first, then coverage by component. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from loom.contract import scopes
from loom.deploy.embedded.report import MetricRow, Report, State


def problem_lines(report: Report) -> Iterator[str]:
    """A line for everything that is wrong or missing, with what to do about it below."""
    wrong = len(report.faults) + bool(report.dropped)
    for number, problem in enumerate(report.problems):
        yield f"  {'WRONG' if number < wrong else 'MISSING':<9}{problem.message}"
        if problem.hint:
            yield f"{'':<11}{problem.hint}"


def table_lines(report: Report) -> Iterator[str]:
    """Seen of all for each component, who sent it, and what came from others."""
    yield f"  {'SCOPE':<26}{'METRICS':>9}{'VALUES':>9}{'SPANS':>9}"
    for scope in scopes.ALL:
        rows = [row for row in report.metrics if row.scope == scope and not row.rare]
        metrics = _share([row.state is not State.WAITING for row in rows])
        spans = _share([row.state is State.SEEN for row in report.spans if row.scope == scope])
        yield f"  {scope:<26}{metrics:>9}{_values(rows):>9}{spans:>9}"
    for other in report.foreign:
        counts = ((other.metrics, "metrics"), (other.spans, "spans"))
        what = ", ".join(f"{number} {thing}" for number, thing in counts if number)
        yield f"  {other.scope:<26}  {what} of another library"
    services = Counter(process.service for process in report.processes)
    names = [name if times == 1 else f"{name} ({times} processes)" for name, times in services.items()]
    yield f"{report.arrived} spans and {report.points} data points from {', '.join(names) or 'nobody'}"


def verdict(report: Report) -> str:
    """`the contract is kept; 100 % of it was seen`."""
    wrong, missing = len(report.faults) + report.dropped, len(report.absent)
    lacking = f"{missing} required and not seen"
    if wrong:
        outcome = f"the contract is broken: {wrong} wrong" + (f", {lacking}" if missing else "")
    else:
        outcome = f"the contract is not complete: {lacking}" if missing else "the contract is kept"
    return f"{outcome}; {report.percent:.0f} % of it was seen"


def _values(rows: Iterable[MetricRow]) -> str:
    attributes = [attribute for row in rows for attribute in row.attributes]
    seen = sum(len(attribute.seen) for attribute in attributes)
    every = seen + sum(len(attribute.missing) for attribute in attributes)
    return f"{seen}/{every}" if every else "-"


def _share(seen: Collection[bool]) -> str:
    return f"{sum(seen)}/{len(seen)}" if seen else "-"
