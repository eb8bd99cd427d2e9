"""What the services are started with: the digest of each one's files, and their environment. Pure data."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

from loom.contract.environment import STANDARD_SAMPLER
from loom.deploy import programs
from loom.deploy.artifacts import balancer, collector
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.supervisor import DATA, RUN
from loom.deploy.engine.deployment import Home
from loom.deploy.engine.processes import MARK
from loom.deploy.engine.readiness import native
from loom.deploy.plan import topology
from loom.deploy.plan.model import Plan, Service, Site

SUPERVISOR = "supervisord"
"""Stands for what concerns every service: the supervisor's configuration and the ports."""

PROGRAMS = (programs.OTELCOL, programs.JAEGER, programs.PROMETHEUS, programs.ALERTMANAGER)
"""What every deployment needs."""

_READ_BY = {
    Check.JAEGER: Service.JAEGER,
    Check.PROMTOOL_CONFIG: Service.PROMETHEUS,
    Check.PROMTOOL_RULES: Service.PROMETHEUS,
    Check.AMTOOL: Service.ALERTMANAGER,
    Check.SUPERVISOR: SUPERVISOR,
}
# Nothing of the caller's OTEL_… or proxies: Jaeger and the collector would take them for their own.
_INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR")

# Jaeger would trace its own queries, send them to port 4317 whatever the profile says, and at its end wait
# ten seconds for whoever is not there to take them.
_QUIET = {STANDARD_SAMPLER.name: "always_off"}


def programs_of(plan: Plan, locate: Callable[..., Mapping[str, Path]]) -> dict[str, Path]:
    """Name → path of the programs that a plan's native services are; ToolchainError when one is missing.

    The canary is a module of ours: it runs on our own Python.
    """
    wanted = [plan.container(service).program for service in native(plan)]
    found = dict(locate(*(program for program in wanted if program != programs.LOOM)))
    return found | ({programs.LOOM.name: Path(sys.executable)} if programs.LOOM in wanted else {})


def digests(plan: Plan, artifacts: Sequence[Artifact]) -> dict[str, str]:
    """Service → SHA-256 of all the files it reads."""
    texts: dict[str, list[str]] = {SUPERVISOR: [repr(plan.ports)]}
    for artifact in sorted(artifacts, key=lambda artifact: artifact.path):
        for reader in _readers(plan, artifact):
            texts.setdefault(reader, []).append(f"{artifact.path}\0{artifact.text}")
    return {reader: sha256("\0".join(parts).encode()).hexdigest() for reader, parts in texts.items()}


def _readers(plan: Plan, artifact: Artifact) -> Iterator[str]:
    """Who reads a file: a collector its own natively, and in containers all of a role the same."""
    file = PurePosixPath(artifact.path).name
    if artifact.check is Check.OTELCOL:
        for service in topology.collectors(plan.profile):
            if file in {collector.name(service, site) for site in Site}:
                yield str(service)
    elif artifact.check is Check.CADDY:
        yield str(Service.BALANCER if file == balancer.NAME else Service.PROXY)
    elif artifact.check in _READ_BY:
        yield str(_READ_BY[artifact.check])


def environment(home: Home, found: Mapping[str, Path], inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of supervisord: what its rendered configuration refers to, and little else."""
    folders = {DATA: home.data, RUN: home.short_run}
    binaries = {f"LOOM_{name.upper()}": path for name, path in found.items()}
    kept = {name: inherited[name] for name in _INHERITED if name in inherited}
    ours = {name: str(path) for name, path in {**folders, **binaries}.items()}
    return kept | ours | _QUIET | {MARK: str(home.root)}
