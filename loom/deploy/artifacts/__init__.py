"""Artifacts: the plan as files of pure text, one module or folder a target program."""

from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.render import parse, render

__all__ = ["Artifact", "Check", "parse", "render"]
