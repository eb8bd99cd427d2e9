"""A store's query API: JSON in, a deadline, and never an exception of a library's own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx2

from loom.canary.folder import Folder
from loom.contract import canary
from loom.errors import EngineError

TIMEOUT = 5.0
"""Seconds for one answer."""


class Store:
    """One store, asked with what the folder holds at the beginning of each round."""

    def __init__(self, url: str, folder: Folder | None = None, *, password: bool = False) -> None:
        """`password`: whether the store wants one."""
        self._url = url
        self._folder = folder
        self._wants_password = password
        self._client: httpx2.Client | None = None

    def renew(self) -> None:
        """Read certificates and password again; the next question opens a connection of its own."""
        client, self._client = self._client, None
        if client:
            client.close()

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """The JSON answer, None for 404; EngineError says who does not answer, and why."""
        try:
            response = self._connected().get(f"{path}?{urlencode(parameters)}" if parameters else path)
            if response.status_code == httpx2.codes.NOT_FOUND:
                return None
            if response.is_success:
                return response.json()
        except (httpx2.HTTPError, OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            message = f"{self._url} does not answer: {reason}"
            raise EngineError(message) from error
        message = f"{self._url} answers {response.status_code}"
        raise EngineError(message)

    def _connected(self) -> httpx2.Client:
        if self._client is None:
            folder = self._folder
            password = folder.password() if folder and self._wants_password else ""
            self._client = httpx2.Client(
                base_url=self._url,
                verify=folder.calling() if folder else True,
                auth=(canary.USER, password) if password else None,
                timeout=TIMEOUT,
                trust_env=False,
            )
        return self._client
