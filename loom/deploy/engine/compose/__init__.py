"""The compose engine: the rendered compose file on a Docker Engine."""

from loom.deploy.engine.compose.daemon import Box, Daemon, Job
from loom.deploy.engine.compose.engine import ComposeEngine
from loom.deploy.engine.compose.fake import FakeDaemon
from loom.deploy.engine.compose.project import Project
from loom.deploy.engine.compose.whales import Whales

__all__ = ["Box", "ComposeEngine", "Daemon", "FakeDaemon", "Job", "Project", "Whales"]
