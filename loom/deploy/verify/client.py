"""HTTP with the stores: JSON in, deadlines, errors that say who does not answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loom.deploy.credentials.access import PLAIN, Access
from loom.errors import EngineError, Problem

if TYPE_CHECKING:
    import httpx2

TIMEOUT = 10.0
"""Seconds for one answer."""


def connect(url: str, access: Access = PLAIN) -> "httpx2.Client":
    """A client of `https://host:port`; proxies of the environment play no part."""
    import httpx2  # noqa: PLC0415 - slow to import, and only `verify` needs it

    trust = access.context() or True
    return httpx2.Client(
        base_url=url, timeout=TIMEOUT, trust_env=False, verify=trust, headers=access.headers()
    )


def get(client: "httpx2.Client", path: str, parameters: Mapping[str, str | int | float]) -> Any:  # noqa: ANN401 - JSON
    """The JSON answer; None for 404, EngineError when there is none or it is an error."""
    import httpx2  # noqa: PLC0415 - as above

    url = f"{str(client.base_url).rstrip('/')}{path}"
    try:
        response = client.get(path, params=dict(parameters))
        if response.status_code == httpx2.codes.NOT_FOUND:
            return None
        if response.is_error:
            raise EngineError(Problem(f"{url} answers {response.status_code}: {response.text[:200]}"))
        return response.json()
    except (httpx2.HTTPError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise EngineError(Problem(f"{url} does not answer: {reason}", hint="loom-deploy status")) from error
