"""The environment of a stdio server: chosen on purpose, since the servers are other people's programs."""

from collections.abc import Mapping
from urllib.parse import unquote

from loom.contract import environment, resource
from loom.runtime.mcp.config import Stdio

BASE = frozenset(
    {
        "HOME",
        "LANG",
        "LC_ALL",
        "LOGNAME",
        "PATH",
        "SHELL",
        "TERM",
        "TMPDIR",
        "TZ",
        "USER",
        environment.ENVIRONMENT.name,
    }
)
"""What every program may know."""

TELEMETRY = environment.PREFIX
"""Where telemetry goes, so that the server's spans join ours."""

CREDENTIALS = "_HEADERS"
"""Of the telemetry's variables, those that carry keys; like all secrets they must be named."""


def child_environment(stdio: Stdio, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables a child gets: harmless ones, telemetry's, those that are named, those that are set."""
    got = {
        **{name: value for name, value in environ.items() if _is_harmless(name)},
        **{name: environ[name] for name in stdio.inherit if name in environ},
    }
    described = _without_instance(got.pop(environment.RESOURCE_ATTRIBUTES.name, ""))
    if described:
        got[environment.RESOURCE_ATTRIBUTES.name] = described
    return {**got, **stdio.env}


def _is_harmless(name: str) -> bool:
    return name in BASE or (name.startswith(TELEMETRY) and not name.endswith(CREDENTIALS))


def _without_instance(attributes: str) -> str:
    """Resource attributes without the instance's id: it is ours, and two processes with one id are one."""
    pairs = attributes.split(",")
    return ",".join(pair for pair in pairs if _key(pair) != resource.SERVICE_INSTANCE_ID.name)


def _key(pair: str) -> str:
    return unquote(pair.partition("=")[0]).strip()
