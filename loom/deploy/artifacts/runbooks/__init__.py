"""Runbooks: a page for each alert, with the very queries that the alert rests on."""

from loom.deploy.artifacts.runbooks.book import BOOK, pages, runbook
from loom.deploy.artifacts.runbooks.runbook import Runbook, Step

__all__ = ["BOOK", "Runbook", "Step", "pages", "runbook"]
