"""What programs say they run, compared with what was rendered for them."""

from loom.deploy.drift.live.document import document
from loom.deploy.drift.live.evidence import Evidence, Page, Program
from loom.deploy.drift.live.fake import FakePages, FakeRunner
from loom.deploy.drift.live.gather import Effects
from loom.deploy.drift.live.inspection import inspect
from loom.deploy.drift.live.model import Difference, Report
from loom.deploy.drift.live.text import lines

__all__ = [
    "Difference",
    "Effects",
    "Evidence",
    "FakePages",
    "FakeRunner",
    "Page",
    "Program",
    "Report",
    "document",
    "inspect",
    "lines",
]
