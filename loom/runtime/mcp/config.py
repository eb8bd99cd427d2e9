"""What the manager must know of a server before it connects."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from loom.contract import attributes as a
from loom.errors import ConfigurationError, Problem

STDIO, STREAMABLE_HTTP = a.TRANSPORT.values

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
NAME_RULE = "1 to 64 letters, digits, `_`, `-` and `.`, beginning with a letter or digit"
URL_RULE = "must be an http or https URL"


def is_url(url: str) -> bool:
    """Whether it can be taken apart, port included, and names a host to ask over HTTP."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an address, a port that is none
        return False


@dataclass(frozen=True, slots=True)
class Stdio:
    """A server that runs as a child process and speaks over its stdin and stdout."""

    transport: ClassVar[str] = STDIO

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for the child; they win over everything it gets besides."""
    inherit: tuple[str, ...] = ()
    """Names of our own variables that the child gets: the way for secrets."""
    cwd: str = ""
    """Its working directory; empty for ours."""

    @property
    def place(self) -> str:
        """What people call it."""
        return self.command


@dataclass(frozen=True, slots=True)
class StreamableHttp:
    """A server behind a URL; ConfigurationError when it is none: that must not show at its first use only."""

    transport: ClassVar[str] = STREAMABLE_HTTP

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no URL; it is not repeated, since there may be a secret in it."""
        if not is_url(self.url):
            raise ConfigurationError(Problem(URL_RULE, path="$.url"))

    @property
    def place(self) -> str:
        """Scheme, host and port: everything else in a URL may be secret, its path too."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much; durations in seconds."""

    connect_timeout: float = 30.0
    """From the start of the process, or the first request, until all tools are registered."""
    call_timeout: float = 30.0
    """For one call of a tool; a caller may ask for less."""
    health_interval: float = 30.0
    """Between two health checks."""
    health_timeout: float = 5.0
    """A server that does not answer a health check within this time is connected anew."""
    stop_timeout: float = 2.0
    """A child process gets this long to end by itself, and again after SIGTERM."""
    result_bytes: int = 8 * 1024 * 1024
    """Longest message that is read from the server."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One MCP server: the name its tools are known under, how it is reached, and its limits.

    ConfigurationError when the name cannot be part of a capability's name, `server:tool`.
    """

    name: str
    endpoint: Stdio | StreamableHttp
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse a name that cannot be told from the tool's."""
        if not NAME.fullmatch(self.name):
            raise ConfigurationError(Problem(f"{self.name[:80]!r} cannot name a server", hint=NAME_RULE))
