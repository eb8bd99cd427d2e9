"""Links from a panel to its traces: Grafana's Explore with a search in Jaeger."""

import json
from urllib.parse import quote

from loom.contract.resource import JOB
from loom.contract.span import Span
from loom.deploy.artifacts.grafana import JAEGER_UID

_SERVICE = "${__field.labels." + JOB + "}"
"""Grafana's variable for the service of the clicked line."""
_FROM, _TO = "${__from}", "${__to}"


def search(span: Span | None = None) -> str:
    """The address of a search for the span's traces of the clicked line's service, in the shown time range.

    Without a span: of an empty search.
    """
    query: dict[str, object] = {
        "refId": "A",
        "datasource": {"type": "jaeger", "uid": JAEGER_UID},
        "queryType": "search",
    }
    if span:
        query |= {"service": _SERVICE, "operation": span.name, "limit": 20}
    pane = {"datasource": JAEGER_UID, "queries": [query], "range": {"from": _FROM, "to": _TO}}
    return (
        f"/explore?schemaVersion=1&orgId=1&panes={_escape(json.dumps({'loom': pane}, separators=(',', ':')))}"
    )


def _escape(text: str) -> str:
    """Percent-encode everything but Grafana's variables, which it fills in before the browser sees them."""
    escaped = quote(text, safe="")
    for variable in (_SERVICE, _FROM, _TO):
        escaped = escaped.replace(quote(variable, safe=""), variable)
    return escaped
