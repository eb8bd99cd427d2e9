"""The library: what the command line is a client of. Nothing here prints or exits."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loom.contract import scopes
from loom.deploy import plan, profile
from loom.deploy.artifacts.model import Artifact
from loom.deploy.plan.model import Plan
from loom.deploy.profile import source as profiles
from loom.deploy.writer import MANIFEST, Changes, State, commit, difference, inspect
from loom.errors import EngineError, Problem

if TYPE_CHECKING:
    from loom.deploy.engine import Choice, Deployment, Home, LogLine, LogRequest, Report, ServiceStatus
    from loom.deploy.verify import Proof

# Engines and proof are imported by the functions that need them: `render` must stay fast without them.

READY = 60.0
"""Seconds that `up` waits for every service by default; a second or two is what it takes."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One file on disk that is not as it would be rendered."""

    path: str
    """POSIX path below the folder."""
    state: State
    difference: str
    """A short unified diff; empty where there are no two texts to compare."""


def profile_names() -> list[str]:
    """Every profile of `./profiles`, or those we ship where there is no such folder."""
    own = Path("profiles")
    return profiles.names(own if own.is_dir() else None)


def load_plan(name: Path | str, overrides: Sequence[str] = ()) -> Plan:
    """The plan of a profile by name or path, with `a.b=c` overrides; ProfileError or PlanError."""
    return plan.derive(profile.load(name, overrides), profile.pins(name))


def artifacts(chosen: Plan) -> tuple[Artifact, ...]:
    """Every file of a plan; PlanError for what only shows when rules and panels are made of it."""
    # Late: only what renders pays for the templates.
    from loom.deploy.artifacts.render import render as rendered  # noqa: PLC0415 - as just said

    return rendered(chosen)


def render(
    chosen: Plan, folder: Path, *, force: bool = False, made: Sequence[Artifact] | None = None
) -> Changes:
    """Write the plan's files, which may be made already, whole or not at all; WriteError, DriftError.

    The result says what was done, and which files were edited by hand and therefore kept.
    """
    return commit(folder, artifacts(chosen) if made is None else made, force=force)


def check(chosen: Plan, folder: Path) -> list[Drift]:
    """Every file of `folder` that `render` would not leave as it is; writes nothing."""
    changes = inspect(folder, artifacts(chosen))
    return [_drift(folder, path, state, changes) for path, state in changes.drift().items()]


def up(
    chosen: Plan, choice: "Choice", report: "Report", *, name: str = "", deadline: float = READY
) -> "Deployment":
    """Start a plan under a name (default: its profile's), and return once every service is ready.

    PlanError when a waiver is over, MachineError when credentials are missing or will not do, EngineError,
    ToolchainError or WriteError; nothing that was started is left running then.
    """
    from loom.deploy import engine  # noqa: PLC0415 - see above
    from loom.deploy.credentials import readiness  # noqa: PLC0415 - see above

    home = _home(name or chosen.profile.name, os.environ)
    _refuse_another(home, choice.engine.name)
    deployment = engine.Deployment(home, choice.engine.name, chosen)
    if choice.engine.name != engine.EmbeddedEngine.name:
        readiness.require(chosen, home.rendered)
    with home.as_it_was():
        choice.engine.up(deployment, artifacts(chosen), report, deadline)
    return find(deployment.name)


def undoing(chosen: Plan, choice: "Choice", report: "Report", name: str = "") -> Callable[[], None]:
    """What undoes an `up` that is about to start something; data that there is now stays."""
    from loom.deploy import engine  # noqa: PLC0415 - see above

    return engine.undoing(choice.engine, _home(name or chosen.profile.name, os.environ), report)


def deployed() -> list[str]:
    """Names of the deployments that were started and not stopped, sorted."""
    from loom.deploy import engine  # noqa: PLC0415 - see above

    return engine.deployed(os.environ)


def find(name: str, profile: str = "") -> "Deployment":
    """The deployment of that name; EngineError when there is none, with how to start it from the profile."""
    from loom.deploy import engine  # noqa: PLC0415 - see above

    found = engine.load(_home(name, os.environ))
    if found is None:
        names = deployed()
        hint = f"what is up: {', '.join(names)}" if names else f"run: {_start(name, profile)}"
        raise EngineError(Problem(f"no deployment {name!r} is up", hint=hint))
    return found


def _start(name: str, profile: str) -> str:
    """The command that starts a deployment of that name; a profile of the same name, where there is one."""
    source = profile or (name if name in profile_names() else "dev")
    named = "" if Path(source).stem == name else f"--name {name} "
    return f"loom-deploy up {named}--profile {shlex.quote(source)}"


def status(deployment: "Deployment") -> "tuple[ServiceStatus, ...]":
    """Every service of a deployment as it is now."""
    from loom.deploy import engine  # noqa: PLC0415 - see above

    return engine.named(deployment.engine).status(deployment)


def logs(deployment: "Deployment", request: "LogRequest") -> "Iterator[LogLine]":
    """Lines of its logs."""
    from loom.deploy import engine  # noqa: PLC0415 - see above

    return engine.named(deployment.engine).logs(deployment, request)


def verify(
    deployment: "Deployment",
    *,
    services: Sequence[str] = (),
    components: Sequence[str] = scopes.ALL,
    timeout: float | None = None,
) -> "Proof":
    """What of the contract's telemetry has arrived since the deployment was started; see `Proof.bad`.

    `components` are scopes of the contract that must report. EngineError when a store does not answer.
    `timeout` is in seconds; None is what telemetry needs.
    """
    from loom.deploy.engine import EmbeddedEngine  # noqa: PLC0415 - see above
    from loom.deploy.verify import Question, embedded, prove  # noqa: PLC0415 - see above

    asked = Question(
        deployment.plan,
        deployment.started,
        tuple(services),
        timeout,
        deployment.access,
        tuple(components),
    )
    by_receiver = deployment.engine == EmbeddedEngine.name
    return embedded.prove_embedded(asked) if by_receiver else prove(asked)


def intrude(deployment: "Deployment") -> "Proof":
    """Whether every port refuses whoever does not belong there, and lets in who does; see `Proof.bad`."""
    from loom.deploy.verify import Proof  # noqa: PLC0415 - see above
    from loom.deploy.verify.intrusion import Ground  # noqa: PLC0415 - see above
    from loom.deploy.verify.intrusion import intrude as tried  # noqa: PLC0415 - see above

    return Proof(tried(Ground.of(deployment)))


def run_module(deployment: "Deployment", module: str, environment: Mapping[str, str]) -> int:
    """The same for a module of Loom's, by the interpreter that has it where the engine runs programs."""
    from loom.deploy import engine  # noqa: PLC0415 - see above

    return run(deployment, [engine.named(deployment.engine).python, "-m", module], environment)


def run(
    deployment: "Deployment", command: Sequence[str], environment: Mapping[str, str] | None = None
) -> int:
    """Run a program that reports to the deployment, on our own terminal; its exit code."""
    from loom.deploy import engine  # noqa: PLC0415 - see above

    return engine.named(deployment.engine).run(deployment, command, environment or {})


def down(name: str, report: "Report", *, volumes: bool = False, images: bool = False) -> bool:
    """Stop the deployment of that name, whatever engine runs it; whether anything ran.

    Its data goes too with `volumes`, the images of its programs with `images`.
    """
    from loom.deploy import engine  # noqa: PLC0415 - see above

    home = _home(name, os.environ)
    ran = [runner.down(home, report, volumes=volumes, images=images) for runner in engine.engines()]
    home.forget()
    return any(ran)


def running_on(chosen: Plan, name: str = "") -> str:
    """The engine on which the plan's deployment of that name runs now; empty when it does not run."""
    before = _running(_home(name or chosen.profile.name, os.environ))
    return before.engine if before else ""


def _running(home: "Home") -> "Deployment | None":
    from loom.deploy import engine  # noqa: PLC0415 - see above

    try:
        before = engine.load(home)
    except EngineError:
        return None  # a damaged record: the engine starts everything anew
    if before and any(one.state != "ABSENT" for one in engine.named(before.engine).status(before)):
        return before
    return None


def _refuse_another(home: "Home", name: str) -> None:
    """One name, one engine: EngineError when the name runs on another one."""
    before = _running(home)
    if before and before.engine != name:
        hint = f"loom-deploy down --name {home.name}"
        raise EngineError(Problem(f"{home.name} is up already, with the engine {before.engine}", hint=hint))


def _home(name: str, environ: Mapping[str, str]) -> "Home":
    from loom.deploy import engine  # noqa: PLC0415 - see above

    try:
        return engine.Home.of(name, environ)
    except ValueError as error:
        raise EngineError(str(error)) from None


def _drift(folder: Path, path: str, state: State, changes: Changes) -> Drift:
    rendered = str(changes.manifest) if path == MANIFEST else changes.texts.get(path)
    if rendered is None or state is State.CREATED:
        return Drift(path, state, "")
    try:
        on_disk = (folder / path).read_text()
    except (OSError, UnicodeDecodeError):
        return Drift(path, state, "")
    return Drift(path, state, difference(path, on_disk, rendered))
