"""`docker compose config`: the compose file, with the `.env` beside it; needs no Docker Engine.

A variable that is not set is only a warning to compose, and an empty value in a container: refused here.
"""

from collections.abc import Iterator, Sequence

from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.workload import LOOM_PROFILE
from loom.deploy.validate.model import Verdict, Workspace, accepted, refused
from loom.deploy.validate.process import ask

DEADLINE = 60.0
"""Seconds."""


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a file."""
    for artifact in artifacts:
        # With everything in it: compose looks less at the services of a profile that is not asked for.
        chosen = ("--profile", LOOM_PROFILE, "-f", artifact.path)
        command = (*workspace.programs.compose, *chosen, "config", "--quiet")
        answer = ask(command, workspace.folder, workspace.environment, DEADLINE)
        fine = answer.code == 0 and not answer.output.strip()
        yield accepted(artifact) if fine else refused(artifact, answer.words)
