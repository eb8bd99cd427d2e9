"""Prometheus rules: recordings and alerts from contract objects, each alert with its own tests."""

from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.files import alerts, artifacts, cases, groups, recorded
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Unmetered

__all__ = [
    "Alert",
    "Input",
    "Kind",
    "Proof",
    "Scene",
    "Severity",
    "Unmetered",
    "alerts",
    "artifacts",
    "cases",
    "groups",
    "recorded",
]
