"""The seam to programs over HTTP: a question, an answer; what protects it is the client's matter."""

import json
from contextlib import suppress
from typing import Protocol

from loom.deploy.drift.live.evidence import Page, Question
from loom.deploy.engine.deployment import Deployment
from loom.deploy.verify.client import connect


class Pages(Protocol):
    """Answers questions. Nothing raises: an error is part of the answer."""

    def get(self, question: Question) -> Page:
        """The answer."""


class DeployedPages:
    """Those of a deployment on this machine, with its certificates and credentials."""

    def __init__(self, deployment: Deployment) -> None:
        """Of this deployment."""
        self._deployment = deployment

    def get(self, question: Question) -> Page:
        """See `Pages.get`."""
        import httpx2  # noqa: PLC0415 - slow to import

        service, purpose, path = question
        try:
            with connect(self._deployment.plan.reached(service, purpose), self._deployment.access) as client:
                response = client.get(path)
        except (httpx2.HTTPError, OSError) as error:
            return Page(0, str(error) or type(error).__name__)
        body = None
        with suppress(ValueError):
            body = json.loads(response.text)
        return Page(response.status_code, response.text, body)
