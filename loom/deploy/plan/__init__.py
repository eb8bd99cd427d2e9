"""The plan: facts derived from the profile, and the refusal of what cannot work."""

from loom.deploy.plan.derive import derive, remarks
from loom.deploy.plan.model import Plan

__all__ = ["Plan", "derive", "remarks"]
