"""What follows on `up --prove`: an example's telemetry, the proof that it arrived, and what to do next."""

import os
import sys
from pathlib import Path

from loom.cli.output import say
from loom.contract.environment import SERVICE_NAME
from loom.deploy import api
from loom.deploy.artifacts.documents.quickstart import EXAMPLE
from loom.deploy.engine import Deployment, EmbeddedEngine
from loom.deploy.verify import report
from loom.errors import EngineError, MissingTelemetryError, Problem

_SERVICE = "loom-example"
_NEXT = (
    ("loom-deploy trace --name {}", "one event's way through all components, as a tree"),
    ("loom-deploy doctor --name {}", "what is wrong, when something is"),
    ("loom-deploy down --name {}", "stop it; --volumes removes its data too"),
)
_EMBEDDED_NEXT = (
    (
        "loom-deploy check --require emitted -- python my_agents.py",
        "a program of your own against the contract",
    ),
    ("loom-deploy logs --name {}", "what is not as the contract says"),
    ("loom-deploy down --name {}", "stop it"),
)


def demonstrate(deployment: Deployment) -> None:
    """Run the example, and prove its telemetry; MissingTelemetryError or EngineError when that fails."""
    say(f"sending telemetry through it: python -m {EXAMPLE}")
    say("  some of it fails on purpose: the warnings and the traceback below belong to the story")
    code = api.run_module(deployment, EXAMPLE, {SERVICE_NAME.name: _SERVICE})
    if code:
        hint = f"loom-deploy doctor --name {deployment.name}"
        raise EngineError(Problem(f"{EXAMPLE} ended with exit code {code}", hint=hint))
    say("looking for every metric and span of the contract")
    proof = api.verify(deployment)
    say(f"  {report.summary(proof)}")
    if proof.bad:
        raise MissingTelemetryError(*(finding.problem for finding in proof.bad))


def _entrance() -> list[tuple[str, str]]:
    """What `./loomw` cannot do for the shell it was called from, which has no `loom-deploy` yet."""
    home = Path(sys.prefix)
    if os.environ.get("VIRTUAL_ENV") or home.parent != Path.cwd():
        return []
    return [(f". {home.name}/bin/activate", "once in your shell: loom-deploy, and its python")]


def say_next(deployment: Deployment) -> None:
    """The three commands that a newcomer wants next, and what they need in a shell that lacks it."""
    say("What next:")
    what = _EMBEDDED_NEXT if deployment.engine == EmbeddedEngine.name else _NEXT
    rows = [*_entrance(), *((command.format(deployment.name), purpose) for command, purpose in what)]
    width = max(len(command) for command, _ in rows)
    for command, purpose in rows:
        say(f"  {command:<{width}} {purpose}")
