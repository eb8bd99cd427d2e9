"""A program of the user's, run on this machine and told where to report."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from loom.deploy.artifacts.environment import settings
from loom.deploy.engine.deployment import Deployment
from loom.deploy.plan.edges import LOOM
from loom.errors import EngineError, Problem


def run(deployment: Deployment, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Its exit code; EngineError when it cannot be started. Our variables win over the caller's own."""
    ours = {
        variable.name: value
        for variable, value in settings(deployment.plan, str(deployment.home.secrets / LOOM))
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    try:
        done = subprocess.run(command, env={**kept, **ours, **environment}, check=False)  # noqa: S603 - what was asked for
    except OSError as error:
        raise EngineError(Problem(f"cannot run {command[0]}: {error.strerror}")) from error
    return done.returncode
