"""`caddy validate`: the proxy's configuration, its certificate and users loaded."""

from collections.abc import Iterator, Sequence

from loom.deploy.artifacts.model import Artifact
from loom.deploy.programs import CADDY
from loom.deploy.validate.model import Verdict, Workspace, accepted, refused
from loom.deploy.validate.process import ask

NEEDS = (CADDY,)
DEADLINE = 30.0
"""Seconds."""


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a file."""
    program = str(workspace.programs.paths[CADDY.name])
    environment = {
        **workspace.environment,
        **dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(workspace.folder / ".caddy")),
    }
    for artifact in artifacts:
        command = (program, "validate", "--adapter", "caddyfile", "--config", str(workspace.file(artifact)))
        answer = ask(command, workspace.folder, environment, DEADLINE)
        yield refused(artifact, answer.words) if answer.code else accepted(artifact)
