"""The HTTP session of OTLP exporters: it trusts and authorises as OTEL_… says, whatever else is set."""

from typing import Any

from requests import PreparedRequest, Session


class _Session(Session):
    """`requests` lets REQUESTS_CA_BUNDLE and ~/.netrc win over what a session was told; here they do not."""

    def merge_environment_settings(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - the base's own
        """Proxies from the environment; authorities from there only where nobody named any."""
        merged = super().merge_environment_settings(*arguments, **named)
        if isinstance(self.verify, str):
            merged["verify"] = self.verify
        return merged


def session() -> Session:
    """A new one; the exporter tells it certificates and headers, and closes it."""
    made = _Session()
    made.auth = _unchanged  # with an answer of its own it asks no netrc, which would replace our header
    return made


def _unchanged(request: PreparedRequest) -> PreparedRequest:
    return request
