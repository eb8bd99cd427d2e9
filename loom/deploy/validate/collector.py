"""`otelcol validate`: component names, keys, types, and that pipelines name what exists."""

from collections.abc import Iterator, Sequence

from loom.deploy.artifacts.model import Artifact
from loom.deploy.programs import OTELCOL
from loom.deploy.validate.model import Verdict, Workspace, accepted, refused
from loom.deploy.validate.process import ask

NEEDS = (OTELCOL,)
DEADLINE = 60.0
"""Seconds."""


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a file."""
    for artifact in artifacts:
        command = (
            str(workspace.programs.paths[OTELCOL.name]),
            "validate",
            "--config",
            str(workspace.file(artifact)),
        )
        answer = ask(command, workspace.folder, workspace.environment, DEADLINE)
        yield refused(artifact, answer.words) if answer.code else accepted(artifact)
