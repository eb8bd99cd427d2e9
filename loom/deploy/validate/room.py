"""Every artifact handed to the program that reads it, in a temporary copy."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loom.contract.environment import ENVIRONMENT
from loom.deploy import programs
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.programs import Program
from loom.deploy.toolchain import GRAFANA_SCHEMA, grafana_schema, locate
from loom.deploy.validate import (
    amtool,
    caddy,
    collector,
    compose,
    credentials,
    dashboard,
    jaeger,
    promtool,
    supervisor,
)
from loom.deploy.validate.model import Outcome, Programs, Verdict, Workspace
from loom.errors import Problem, ToolchainError

HINT = "run: loom-deploy toolchain install"
_VARIABLES = (
    "LOOM_OTELCOL",
    "LOOM_JAEGER",
    "LOOM_PROMETHEUS",
    "LOOM_ALERTMANAGER",
    "LOOM_CADDY",
    "LOOM_LOOM",
    "LOOM_THANOS",
)


@dataclass(frozen=True, slots=True)
class Checker:
    """How one kind of check is run, and what must be there for it."""

    run: Callable[[Workspace, Sequence[Artifact]], Iterable[Verdict]]
    missing: Callable[[Programs], Sequence[Program]]


def validate(artifacts: Sequence[Artifact], programs: Programs) -> tuple[Verdict, ...]:
    """A verdict for every artifact that a program reads, in the order of the artifacts.

    A check whose program is missing is `not run`, and says what to install.
    """
    with tempfile.TemporaryDirectory(prefix="loom-validate-") as name:
        workspace = Workspace(Path(name), programs, _environment(Path(name), os.environ))
        credentials.make(artifacts, workspace.folder)
        for artifact in artifacts:
            workspace.file(artifact).parent.mkdir(parents=True, exist_ok=True)
            workspace.file(artifact).write_text(credentials.redirected(artifact.text, workspace.folder))
        verdicts = [
            verdict
            for check in Check
            if check is not Check.NONE
            for verdict in _run(workspace, [artifact for artifact in artifacts if artifact.check is check])
        ]
    order = {artifact.path: number for number, artifact in enumerate(artifacts)}
    return tuple(sorted(verdicts, key=lambda verdict: order[verdict.artifact]))


def gather(environ: Mapping[str, str]) -> Programs:
    """The programs that this machine has."""
    wanted = (
        programs.OTELCOL,
        programs.PROMTOOL,
        programs.AMTOOL,
        programs.JAEGER,
        programs.CADDY,
        programs.DOCKER_COMPOSE,
    )
    found = {program.name: place.path for program in wanted if (place := locate(program, environ))}
    try:
        schema = grafana_schema(environ)
    except ToolchainError:
        schema = None
    return Programs(found, schema, _compose(found.get(programs.DOCKER_COMPOSE.name)))


def _compose(alone: Path | None) -> tuple[str, ...]:
    """The pinned stand-alone program, else whatever plugin Docker has."""
    if alone:
        return (str(alone),)
    docker = shutil.which("docker")
    if docker is None:
        return ()
    version = [docker, "compose", "version"]
    done = subprocess.run(version, capture_output=True, check=False, timeout=30)  # noqa: S603 - asks for a version
    return (docker, "compose") if done.returncode == 0 else ()


def _run(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterable[Verdict]:
    if not artifacts:
        return ()
    checker = CHECKERS[artifacts[0].check]
    missing = checker.missing(workspace.programs)
    if not missing:
        return checker.run(workspace, artifacts)
    problems = tuple(
        Problem(f"{program.name} {program.version} is not installed", hint=HINT) for program in missing
    )
    return [Verdict(artifact.path, artifact.check, Outcome.NOT_RUN, problems) for artifact in artifacts]


def _environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Little of the machine's own environment, and what the configuration reads."""
    kept = {name: environ[name] for name in ("PATH", "HOME", "TMPDIR", "SystemRoot") if name in environ}
    data = {"LOOM_DATA": str(folder / ".data"), "LOOM_RUN": str(folder)}
    return {**kept, **data, **dict.fromkeys(_VARIABLES, "/bin/true"), ENVIRONMENT.name: "validation"}


def _needs(*wanted: Program) -> Callable[[Programs], Sequence[Program]]:
    return lambda found: [program for program in wanted if program.name not in found.paths]


_PROMTOOL = Checker(promtool.check, _needs(*promtool.NEEDS))
CHECKERS: dict[Check, Checker] = {
    Check.OTELCOL: Checker(collector.check, _needs(*collector.NEEDS)),
    Check.PROMTOOL_CONFIG: _PROMTOOL,
    Check.PROMTOOL_RULES: _PROMTOOL,
    Check.PROMTOOL_TEST: _PROMTOOL,
    Check.AMTOOL: Checker(amtool.check, _needs(*amtool.NEEDS)),
    Check.AMTOOL_ROUTES: Checker(amtool.check_routes, _needs(*amtool.NEEDS)),
    Check.COMPOSE: Checker(compose.check, lambda found: () if found.compose else (programs.DOCKER_COMPOSE,)),
    Check.JAEGER: Checker(jaeger.check, _needs(*jaeger.NEEDS)),
    Check.CADDY: Checker(caddy.check, _needs(*caddy.NEEDS)),
    Check.DASHBOARD: Checker(dashboard.check, lambda found: () if found.schema else (GRAFANA_SCHEMA,)),
    Check.SUPERVISOR: Checker(supervisor.check, _needs()),
}
