"""Embedded: what arrives at an OTLP receiver in this process, judged live against the contract, and shown."""

from loom.deploy.embedded.inspection import Inspection
from loom.deploy.embedded.report import Report, document
from loom.deploy.embedded.requirement import Requirement, require
from loom.deploy.embedded.trial import Trial, TrialResult, run

__all__ = [
    "Inspection",
    "Report",
    "Requirement",
    "Trial",
    "TrialResult",
    "document",
    "require",
    "run",
]
