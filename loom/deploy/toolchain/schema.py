"""The installed `grafana-schema`: how a dashboard is checked against Grafana's own published types."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loom.deploy.toolchain.find import require
from loom.deploy.toolchain.node import find_node
from loom.deploy.toolchain.recipe import GRAFANA_SCHEMA


@dataclass(frozen=True, slots=True)
class GrafanaSchema:
    """Paths of the type checker.

    A check writes, in a folder of its own, files that begin with `PREAMBLE` and go on with the dashboard's
    JSON and a semicolon, and a `tsconfig.json` with the text of `project(files)`; then it runs
    `command(folder)`. Each problem is a line `file(line,column): error TSxxxx: message` on standard output;
    exit code 0 means none.
    """

    node: Path
    tsc: Path
    """TypeScript's compiler, a script for `node`."""
    folder: Path
    """The installation: `node_modules/`, `tsconfig.json`, `dashboard.d.ts`."""

    @property
    def tsconfig(self) -> Path:
        """The compiler options, to be extended; they make the types known as `grafana-dashboard`."""
        return self.folder / "tsconfig.json"

    def project(self, files: list[str]) -> str:
        """Text of the `tsconfig.json` of one check."""
        return json.dumps({"extends": str(self.tsconfig), "files": files})

    def command(self, folder: Path) -> tuple[str, ...]:
        """Checks the project in this folder."""
        return (str(self.node), str(self.tsc), "--project", str(folder))


PREAMBLE = (
    'import type { ProvisionedDashboard } from "grafana-dashboard";\n'
    "export const dashboard: ProvisionedDashboard =\n"
)
"""Two lines: line N of the dashboard's JSON is line N + 2 of the checked file."""


def grafana_schema(environ: Mapping[str, str]) -> GrafanaSchema:
    """The installed one; ToolchainError when it, or Node.js, is missing."""
    folder = require(GRAFANA_SCHEMA, environ=environ)[GRAFANA_SCHEMA.name]
    return GrafanaSchema(find_node(environ).binary, compiler(folder), folder)


def compiler(folder: Path) -> Path:
    """TypeScript's compiler in an installation."""
    return folder / "node_modules" / "typescript" / "bin" / "tsc"
