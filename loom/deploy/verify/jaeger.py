"""What Jaeger holds."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from loom.deploy.verify.client import get
from loom.deploy.verify.evidence import SeenSpan
from loom.deploy.verify.prometheus import Window

if TYPE_CHECKING:
    import httpx2

_MICRO = 1_000_000
_AHEAD = 60
"""Seconds that another machine's clock may be ahead."""


class TraceStore(Protocol):
    """The seam to Jaeger. EngineError when it does not answer."""

    def services(self) -> tuple[str, ...]:
        """Services that have traces."""

    def operations(self, service: str) -> tuple[str, ...]:
        """Names of a service's spans."""

    def traces(self, service: str, window: Window, limit: int, operation: str = "") -> list[list[SeenSpan]]:
        """At most `limit` traces in which the service has a span, of that name if one is given."""

    def has(self, trace_id: str) -> bool:
        """Whether there is a trace of that id."""


class Jaeger:
    """Jaeger's query API."""

    def __init__(self, client: "httpx2.Client") -> None:
        """`client` has the address of Jaeger's query API as its base."""
        self._client = client

    def services(self) -> tuple[str, ...]:
        """See `TraceStore.services`."""
        return tuple(get(self._client, "/api/services", {})["data"] or ())

    def operations(self, service: str) -> tuple[str, ...]:
        """See `TraceStore.operations`."""
        answer = get(self._client, f"/api/services/{_quoted(service)}/operations", {})
        return tuple((answer or {}).get("data") or ())

    def traces(self, service: str, window: Window, limit: int, operation: str = "") -> list[list[SeenSpan]]:
        """See `TraceStore.traces`."""
        parameters: dict[str, str | int] = {
            "service": service,
            "start": round(window.start * _MICRO),
            "end": round((window.end + _AHEAD) * _MICRO),
            "limit": limit,
        }
        if operation:
            parameters["operation"] = operation
        answer = get(self._client, "/api/traces", parameters)
        return [list(_spans(trace)) for trace in (answer or {}).get("data") or ()]

    def has(self, trace_id: str) -> bool:
        """See `TraceStore.has`."""
        answer = get(self._client, f"/api/traces/{trace_id}", {})
        return bool((answer or {}).get("data"))


def _quoted(text: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - next to its only use

    return quote(text, safe="")


def _spans(trace: Mapping[str, Any]) -> Iterator[SeenSpan]:
    for span in trace["spans"]:
        tags = {tag["key"]: tag["value"] for tag in span["tags"]}
        yield SeenSpan(
            trace_id=span["traceID"],
            span_id=span["spanID"],
            parent_id=_parent(span["references"]),
            operation=span["operationName"],
            service=trace["processes"][span["processID"]]["serviceName"],
            scope=str(tags.get("otel.scope.name", "")),
            kind=str(tags.get("span.kind", "")),
            status=str(tags.get("otel.status_code", "")),
            attributes=tags,
        )


def _parent(references: Iterable[Mapping[str, str]] | None) -> str:
    """Links are references too, of another kind."""
    for reference in references or ():
        if reference["refType"] == "CHILD_OF":
            return reference["spanID"]
    return ""
