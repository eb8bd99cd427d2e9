"""The report for machines."""

from dataclasses import asdict

from loom.deploy.drift.live.model import Report


def document(report: Report) -> dict[str, object]:
    """`{name, engine, same, differences: [{program, source, path, rendered, live, meaning}], asked, …}`."""
    return {**asdict(report), "same": not report.differences}
