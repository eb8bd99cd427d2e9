"""What the artifacts room hands on: files as pure text, each with the programs that must accept it."""

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """The program that reads a file, and must accept it before it ships."""

    OTELCOL = "otelcol validate"
    PROMTOOL_CONFIG = "promtool check config"
    PROMTOOL_RULES = "promtool check rules"
    PROMTOOL_TEST = "promtool test rules"
    AMTOOL = "amtool check-config"
    AMTOOL_ROUTES = "amtool config routes test"
    COMPOSE = "docker compose config"
    JAEGER = "jaeger start"
    CADDY = "caddy validate"
    DASHBOARD = "grafana schema (tsc)"
    SUPERVISOR = "supervisord configuration"
    NONE = ""
    """Read by people, or checked together with the file that includes it."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One rendered file."""

    path: str
    """POSIX path below the profile's folder: `grafana/dashboards/loom-overview.json`."""
    text: str
    """The whole content, newline at the end."""
    description: str
    """One sentence with a full stop, for FILES.md."""
    check: Check = Check.NONE
