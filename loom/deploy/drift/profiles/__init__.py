"""Two profiles compared by meaning: what an operator wants to be told before one takes the other's place."""

from loom.deploy.drift.profiles.compare import compare
from loom.deploy.drift.profiles.document import document
from loom.deploy.drift.profiles.line import Effect, Group, Line
from loom.deploy.drift.profiles.text import lines

__all__ = ["Effect", "Group", "Line", "compare", "document", "lines"]
