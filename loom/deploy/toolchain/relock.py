"""Renewing a folder of `modules/` for another version: `python -m loom.deploy.toolchain.relock FOLDER`.

For maintainers, with the network. Change the version first: in `programs.py`, and for the collector in its
`manifest.yaml`, for `grafana-schema` in its `package.json`; then run this, read the difference, install, and
run the smoke tests. What it does per kind of folder:

- a Go program: begins with the go.sum of the upstream module, whose own checksum Go compares with the
  checksum database; lets `go get -tool` resolve the rest with the recipe's tags (`go mod tidy` would want the
  modules of every tag, some of which are not to be had); keeps the `replace` and `exclude` lines of go.mod;
- the collector: runs the Collector Builder of the same version on `manifest.yaml`;
- npm: renews the lock file without the addresses of any registry.

In the end go.sum keeps the whole checksums of those modules only that the build really uses.
"""

import os
import re
import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path

from loom.deploy.toolchain.cache import Cache, cache_root
from loom.deploy.toolchain.go import find_go
from loom.deploy.toolchain.node import find_node
from loom.deploy.toolchain.process import Command, ProcessRunner
from loom.deploy.toolchain.recipe import MODULES, RECIPES, Recipe
from loom.errors import Problem, ToolchainError

UPSTREAM = {
    "alertmanager": ("github.com/prometheus/alertmanager", "v{version}"),
    "caddy": ("github.com/caddyserver/caddy/v2", "v{version}"),
    "docker-compose": ("github.com/docker/compose/v2", "v{version}"),
    "jaeger": ("github.com/jaegertracing/jaeger", "v1.76.0"),
    "prometheus": ("github.com/prometheus/prometheus", "v0.{major}{minor:0>2}.{patch}"),
    "registry": ("github.com/google/go-containerregistry", "v{version}"),
    "telemetrygen": (
        "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen",
        "v{version}",
    ),
    "thanos": ("github.com/thanos-io/thanos", "v{version}"),
}
"""Folder → module and its version: Prometheus 3.16.0 is v0.316.0; Jaeger 2.13.0 is v1.76.0, look it up."""
PLATFORMS = tuple(product(("linux", "darwin"), ("amd64", "arm64")))
"""Those whose modules are locked."""
BUILDER = "go.opentelemetry.io/collector/cmd/builder"


def relock(folder: str) -> None:
    """Renew the locks of one folder in place; ToolchainError with the tool's words when that fails."""
    recipes = [recipe for recipe in RECIPES.values() if recipe.folder == folder]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name) / folder
        shutil.copytree(MODULES / folder, work)
        if folder == "grafana-schema":
            _npm(work)
        else:
            _resolve(folder, recipes, work)
            _prune(recipes, work)
        for file in work.iterdir():
            if file.is_file():
                shutil.copyfile(file, MODULES / folder / file.name)


def _resolve(folder: str, recipes: list[Recipe], work: Path) -> None:
    if folder == "otelcol":
        tool = work.parent / "builder"
        tool.mkdir()
        (tool / "go.mod").write_text("module builder\n")
        _go(tool, "get", "-tool", f"{BUILDER}@v{recipes[0].program.version}")
        _go(tool, "build", "-o", "ocb", BUILDER)
        _run(
            (str(tool / "ocb"), "--config", "manifest.yaml", "--skip-compilation"),
            work,
            _environ(find_path=True),
        )
        return
    module, pattern = UPSTREAM[folder]
    version = recipes[0].program.version
    major, minor, patch = version.split(".")
    tag = pattern.format(version=version, major=major, minor=minor, patch=patch)
    (work / "go.mod").write_text(_kept((work / "go.mod").read_text(), folder))
    upstream = _go(work, "mod", "download", "-json", f"{module}@{tag}")
    place = re.search(r'"Dir": "(.+)"', "\n".join(upstream))
    assert place is not None  # noqa: S101 - go mod download -json prints it or fails
    shutil.copyfile(Path(place[1]) / "go.sum", work / "go.sum")
    # A package of ours uses the module; what upstream publishes is a tool of ours.
    own = recipes[0].package == "."
    wanted = (f"{module}@{tag}",) if own else ("-tool", *(f"{recipe.package}@{tag}" for recipe in recipes))
    _go(work, "get", f"-tags={recipes[0].tags}", *wanted)


def _kept(text: str, folder: str) -> str:
    """A go.mod without its requirements: what a person decided."""
    kept = re.findall(r"^(?:replace|exclude) (?:\([^)]*\)|.+)$", text, re.MULTILINE)
    return "\n\n".join((f"module loom-deploy/toolchain/{folder}", "go 1.26.0", *kept)) + "\n"


def _prune(recipes: list[Recipe], work: Path) -> None:
    """Drop whole checksums of modules that no program of the folder is compiled from, on any platform."""
    name = "{{.Path}} {{.Version}}"
    form = "-f=used {{with .Module}}{{with .Replace}}" + name + "{{else}}" + name + "{{end}}{{end}}"
    used: set[str] = set()
    for recipe, (system, machine) in product(recipes, PLATFORMS):
        arguments = ("list", "-e", "-deps", *recipe.flags, form, recipe.package)
        lines = _go(work, *arguments, GOOS=system, GOARCH=machine)
        used |= {line.removeprefix("used ") for line in lines if line.startswith("used ")}
    sums = work / "go.sum"
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if "/go.mod " in line or line.rsplit(" ", 1)[0] in used))


def _npm(work: Path) -> None:
    node = find_node(os.environ, npm=True)
    cache = Cache(cache_root(os.environ)).npm
    flags = (
        "--package-lock-only",
        "--omit-lockfile-registry-resolved",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    )
    (work / "package-lock.json").unlink()
    _run((*node.npm, "install", *flags), work, node.environ(cache, os.environ))


def _go(folder: Path, *arguments: str, **platform: str) -> list[str]:
    return _run((str(find_go().binary), *arguments), folder, _environ() | platform)


def _environ(*, find_path: bool = False) -> dict[str, str]:
    go = find_go()
    environ = go.environ(Cache(cache_root(os.environ)).go, os.environ)
    environ["GOFLAGS"] = "-mod=mod -modcacherw"
    if find_path:
        environ["PATH"] = f"{go.binary.parent}:{environ['PATH']}"
    return environ


def _run(arguments: tuple[str, ...], folder: Path, environ: dict[str, str]) -> list[str]:
    lines: list[str] = []
    if ProcessRunner().run(Command(arguments, folder, environ), lines.append):
        problem = "\n".join((f"{' '.join(arguments[:3])} failed; it said:", *lines[-20:]))
        raise ToolchainError(Problem(problem, file=str(folder)))
    return lines


if __name__ == "__main__":
    for folder_name in sys.argv[1:]:
        relock(folder_name)
