"""FILES.md: every rendered file, what it is for, who reads it, who has checked it."""

from collections.abc import Iterator, Sequence

from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan

NAME = "FILES.md"
_DESCRIPTION = "This list."
_READERS = {
    Check.OTELCOL: "OpenTelemetry Collector",
    Check.PROMTOOL_CONFIG: "Prometheus",
    Check.PROMTOOL_RULES: "Prometheus",
    Check.PROMTOOL_TEST: "promtool, never a running Prometheus",
    Check.AMTOOL: "Alertmanager",
    Check.AMTOOL_ROUTES: "amtool",
    Check.CADDY: "Caddy",
    Check.COMPOSE: "Docker Compose",
    Check.JAEGER: "Jaeger",
    Check.DASHBOARD: "Grafana",
    Check.SUPERVISOR: "supervisord",
}
_FOLDERS = {"grafana/": "Grafana", ".env": "your shell, and Docker Compose"}
"""Readers of files that no program checks on their own."""
Tree = dict[str, "Tree"]
"""Names, each with what is below it; nothing is below a file."""


def artifact(plan: Plan, others: Sequence[Artifact]) -> Artifact:
    """The document; `others` are all other files."""
    listed = sorted((*others, Artifact(NAME, "", _DESCRIPTION)), key=lambda other: other.path)
    facts = {
        "profile": plan.profile.name,
        "tree": "\n".join(tree(tuple(one.path for one in listed))),
        "rows": [(one, reader(one)) for one in listed],
    }
    return Artifact(NAME, fill(f"documents/{NAME}.j2", **facts), _DESCRIPTION)


def reader(artifact: Artifact) -> str:
    """Who reads the file."""
    if artifact.check is not Check.NONE:
        return _READERS[artifact.check]
    return next((who for start, who in _FOLDERS.items() if artifact.path.startswith(start)), "you")


def tree(paths: Sequence[str]) -> Iterator[str]:
    """The lines of a drawn tree, folders and files together in order of name."""
    root: Tree = {}
    for path in sorted(paths):
        node = root
        for part in path.split("/"):
            node = node.setdefault(part, {})
    yield "."
    yield from _branches(root, "")


def _branches(node: Tree, indent: str) -> Iterator[str]:
    for number, (name, below) in enumerate(node.items(), 1):
        last = number == len(node)
        yield f"{indent}{'└── ' if last else '├── '}{name}{'/' if below else ''}"
        yield from _branches(below, indent + ("    " if last else "│   "))
