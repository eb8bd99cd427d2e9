"""The checks: pure functions from evidence to a judgement, one module for each part of the way."""

from loom.deploy.doctor.checks.catalogue import CHECKS

__all__ = ["CHECKS"]
