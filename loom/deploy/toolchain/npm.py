"""Installing Grafana's types and the TypeScript compiler with npm, from a lock file with checksums."""

import json
import subprocess
from pathlib import Path

from loom.deploy.toolchain.node import Node
from loom.deploy.toolchain.recipe import Recipe
from loom.deploy.toolchain.schema import compiler

ARGUMENTS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
"""Exactly the lock file; no package runs code of its own."""


def locked(source: Path) -> int:
    """How many packages the lock file holds."""
    packages = json.loads((source / "package-lock.json").read_text())["packages"]
    return sum(1 for name in packages if name)


def read_back(recipe: Recipe, folder: Path, node: Node) -> str:
    """The version of the types if the compiler beside them is the locked one and runs, else what is wrong."""
    wanted = json.loads((recipe.source / "package.json").read_text())["dependencies"]["typescript"]
    answer = subprocess.run(  # noqa: S603 - what npm has just installed
        [node.binary, compiler(folder), "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    if answer.stdout.strip() != f"Version {wanted}":
        return f"TypeScript says `{(answer.stdout + answer.stderr).strip()}`"
    types = folder / "node_modules" / "@grafana" / "schema" / "package.json"
    return str(json.loads(types.read_text())["version"])
