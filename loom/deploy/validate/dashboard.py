"""Dashboards against the types that Grafana publishes: a wrong type, an unknown key, the wrapped form.

All of them in one run of TypeScript's compiler, which takes seconds to start.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from loom.deploy.artifacts.model import Artifact
from loom.deploy.toolchain import PREAMBLE
from loom.deploy.validate.model import Outcome, Verdict, Workspace, accepted
from loom.deploy.validate.process import Answer, ask
from loom.errors import Problem

DEADLINE = 120.0
"""Seconds."""
_MESSAGE = re.compile(r"^(?P<file>d\d+\.ts)\((?P<line>\d+),(?P<column>\d+)\): error (?P<text>.*)$")
_LINES_BEFORE = PREAMBLE.count("\n")


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a dashboard."""
    schema = workspace.programs.schema
    assert schema is not None  # noqa: S101 - the room runs no check whose program is missing
    folder = workspace.folder / ".dashboards"
    folder.mkdir()
    names = {f"d{number}.ts": artifact for number, artifact in enumerate(artifacts)}
    for name, artifact in names.items():
        (folder / name).write_text(f"{PREAMBLE}{artifact.text.rstrip()};\n")
    (folder / "tsconfig.json").write_text(schema.project(list(names)))
    answer = ask(schema.command(Path()), folder, workspace.environment, DEADLINE)
    found = _problems(answer, names)
    if answer.code and not found:
        # The compiler itself failed: that is said of every dashboard.
        found = {artifact.path: [Problem(answer.words, file=artifact.path)] for artifact in artifacts}
    for artifact in artifacts:
        problems = tuple(found.get(artifact.path, ()))
        yield (
            Verdict(artifact.path, artifact.check, Outcome.REFUSED, problems)
            if problems
            else accepted(artifact)
        )


def _problems(answer: Answer, names: dict[str, Artifact]) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = defaultdict(list)
    for line in answer.output.splitlines():
        match = _MESSAGE.match(line)
        if match:
            path, number = names[match["file"]].path, int(match["line"]) - _LINES_BEFORE
            found[path].append(Problem(match["text"], path, max(number, 1), int(match["column"])))
    return dict(found)
