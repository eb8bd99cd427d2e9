"""Grafana dashboards: described as data, built with grafana-foundation-sdk as classic JSON."""

from loom.deploy.artifacts.dashboards.catalogue import boards
from loom.deploy.artifacts.dashboards.files import artifacts
from loom.deploy.artifacts.dashboards.model import Board, Panel, Row, Target, Text, Unit, View

__all__ = ["Board", "Panel", "Row", "Target", "Text", "Unit", "View", "artifacts", "boards"]
