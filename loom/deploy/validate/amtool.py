"""`amtool`: Alertmanager's configuration, and the way of every alert through its routes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loom.deploy.artifacts.model import Artifact
from loom.deploy.programs import AMTOOL
from loom.deploy.validate.model import Verdict, Workspace, accepted, refused
from loom.deploy.validate.process import ask

NEEDS = (AMTOOL,)
DEADLINE = 30.0
"""Seconds."""
_COMPLAINT = "level=WARN"
"""What amtool says, with exit code 0, of what the next version will no longer read."""


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a file: `amtool check-config`, without a warning."""
    for artifact in artifacts:
        command = (*_program(workspace), "check-config", str(workspace.file(artifact)))
        answer = ask(command, workspace.folder, workspace.environment, DEADLINE)
        bad = answer.code or _COMPLAINT in answer.output
        yield refused(artifact, answer.words) if bad else accepted(artifact)


def check_routes(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a file of expectations: `amtool config routes test`, every alert on every configuration."""
    from yaml import safe_load  # noqa: PLC0415 - slow to import, and needed here only

    for artifact in artifacts:
        stated = safe_load(artifact.text)
        files = [workspace.file(artifact).parent / name for name in stated["configurations"]]
        wrong = [
            message
            for file in files
            for test in stated["tests"]
            for message in _astray(workspace, file, test)
        ]
        yield refused(artifact, *wrong) if wrong else accepted(artifact)


def _astray(workspace: Workspace, file: Path, test: Mapping[str, Any]) -> Iterator[str]:
    """What amtool says where an alert does not reach exactly those who must hear of it."""
    labels = [f"{name}={value}" for name, value in test["labels"].items()]
    expected = ",".join(test["receivers"])
    options = (f"--config.file={file}", f"--verify.receivers={expected}")
    command = (*_program(workspace), "config", "routes", "test", *options, *labels)
    answer = ask(command, workspace.folder, workspace.environment, DEADLINE)
    if answer.code:
        reached = answer.output.partition("\n")[0]
        where = file.resolve().relative_to(workspace.folder.resolve())
        yield f"{where}: {' '.join(labels)} reaches {reached}, and must reach {expected}"


def _program(workspace: Workspace) -> tuple[str, ...]:
    return (str(workspace.programs.paths[AMTOOL.name]),)
