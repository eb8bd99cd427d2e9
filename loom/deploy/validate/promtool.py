"""`promtool`: Prometheus' configuration with the rules it names, the rules, and the tests of the rules."""

from collections.abc import Iterator, Sequence

from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.programs import PROMTOOL
from loom.deploy.validate.model import Verdict, Workspace, accepted, refused
from loom.deploy.validate.process import ask

NEEDS = (PROMTOOL,)
ARGUMENTS = {
    Check.PROMTOOL_CONFIG: ("check", "config", "--lint=all", "--lint-fatal"),
    Check.PROMTOOL_RULES: ("check", "rules", "--lint=all", "--lint-fatal"),
    Check.PROMTOOL_TEST: ("test", "rules"),
}
DEADLINE = 240.0
"""Seconds; tests of rules replay hours, minute by minute."""


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a file."""
    program = str(workspace.programs.paths[PROMTOOL.name])
    for artifact in artifacts:
        command = (program, *ARGUMENTS[artifact.check], str(workspace.file(artifact)))
        answer = ask(command, workspace.folder, workspace.environment, DEADLINE)
        yield refused(artifact, answer.words) if answer.code else accepted(artifact)
