"""Alertmanager: who hears of which alert, what silences what, and a test of every route."""

from loom.deploy.artifacts.alertmanager.configuration import FLAGS, NAME, SECRETS, secret
from loom.deploy.artifacts.alertmanager.expectation import ROUTES_TEST, Expectation, expectations
from loom.deploy.artifacts.alertmanager.files import artifacts

__all__ = [
    "FLAGS",
    "NAME",
    "ROUTES_TEST",
    "SECRETS",
    "Expectation",
    "artifacts",
    "expectations",
    "secret",
]
