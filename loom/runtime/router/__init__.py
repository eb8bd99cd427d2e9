"""The router: which model, where, may handle an event."""

from loom.runtime.router.decision import Decision, PolicyType, Question, Reason, Route, decide
from loom.runtime.router.estimator import Estimator, FixedEstimator
from loom.runtime.router.landscape import Endpoint, Landscape, Model
from loom.runtime.router.policy import Policy, Privacy
from loom.runtime.router.router import Router

__all__ = [
    "Decision",
    "Endpoint",
    "Estimator",
    "FixedEstimator",
    "Landscape",
    "Model",
    "Policy",
    "PolicyType",
    "Privacy",
    "Question",
    "Reason",
    "Route",
    "Router",
    "decide",
]
