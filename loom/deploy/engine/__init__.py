"""Engines: what runs a deployment on this machine, behind one protocol."""

from loom.deploy.engine.choice import Choice, choose, engines, named
from loom.deploy.engine.compose import ComposeEngine
from loom.deploy.engine.deployment import Deployment, Home, deployed, load
from loom.deploy.engine.embedded import EmbeddedEngine
from loom.deploy.engine.fake import FakeEngine
from loom.deploy.engine.native import NativeEngine
from loom.deploy.engine.pages import pageless
from loom.deploy.engine.protocol import (
    Engine,
    LogLine,
    LogRequest,
    Progress,
    Report,
    ServiceStatus,
)
from loom.deploy.engine.readiness import front
from loom.deploy.engine.renewal import reread
from loom.deploy.engine.undoing import undoing

__all__ = [
    "Choice",
    "ComposeEngine",
    "Deployment",
    "EmbeddedEngine",
    "Engine",
    "FakeEngine",
    "Home",
    "LogLine",
    "LogRequest",
    "NativeEngine",
    "Progress",
    "Report",
    "ServiceStatus",
    "choose",
    "deployed",
    "engines",
    "front",
    "load",
    "named",
    "pageless",
    "reread",
    "undoing",
]
