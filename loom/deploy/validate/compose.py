"""`docker compose config`: the compose file, with the `.env` beside it; needs no Docker Engine.

A variable that is not set is only a warning to compose, and an empty value in a container: refused here.
"""

from collections.abc import Iterator, Sequence

from loom.deploy.artifacts.model import Artifact
from loom.deploy.validate.model import Verdict, Workspace, accepted, refused
from loom.deploy.validate.process import ask

DEADLINE = 60.0
"""Seconds."""


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a file."""
    for artifact in artifacts:
        command = (*workspace.programs.compose, "-f", artifact.path, "config", "--quiet")
        answer = ask(command, workspace.folder, workspace.environment, DEADLINE)
        fine = answer.code == 0 and not answer.output.strip()
        yield accepted(artifact) if fine else refused(artifact, answer.words)
