"""Validation: every artifact accepted by the real program that will read it, before it ships."""

from loom.deploy.validate.model import Outcome, Programs, Verdict
from loom.deploy.validate.room import gather, validate

__all__ = ["Outcome", "Programs", "Verdict", "gather", "validate"]
