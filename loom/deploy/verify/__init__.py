"""Verify: proof that the telemetry of the contract arrives in the live stores."""

from loom.deploy.verify.fake import FakeMetrics, FakeTraces
from loom.deploy.verify.finding import Finding, Proof, Verdict
from loom.deploy.verify.proof import prove
from loom.deploy.verify.question import Question, patience

__all__ = ["FakeMetrics", "FakeTraces", "Finding", "Proof", "Question", "Verdict", "patience", "prove"]
