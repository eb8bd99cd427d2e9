"""The alert drill: each alert provoked by its real cause on a running stack, delivered, and resolved."""

from loom.deploy.drill.cause import Cause
from loom.deploy.drill.causes import CAUSES, UNPROVOKED
from loom.deploy.drill.course import Row
from loom.deploy.drill.drill import Setting, drill, impossible, missing
from loom.deploy.drill.rehearsal import drilled
from loom.deploy.drill.scale import compress

__all__ = [
    "CAUSES",
    "UNPROVOKED",
    "Cause",
    "Row",
    "Setting",
    "compress",
    "drill",
    "drilled",
    "impossible",
    "missing",
]
