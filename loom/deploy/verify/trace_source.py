"""Traces of a deployment, one by its id or those of the last hour: from Jaeger's query API, or the page."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loom.deploy.engine import EmbeddedEngine, front, pageless
from loom.deploy.engine.deployment import Deployment
from loom.deploy.engine.embedded import page
from loom.deploy.plan.model import Purpose
from loom.deploy.verify import trace_page
from loom.deploy.verify.client import connect, get
from loom.deploy.verify.jaeger import Jaeger
from loom.deploy.verify.prometheus import Window
from loom.deploy.verify.trace import Trace, parse, richest

if TYPE_CHECKING:
    import httpx2

RECENT = 200
"""Traces of each service that are looked at for the richest."""
_LOOKBACK = 3600.0
"""Seconds."""
_AHEAD = 60.0
"""Seconds that the clock of another machine may be ahead."""
_MICRO = 1_000_000


def read(deployment: Deployment, trace_id: str = "", services: Sequence[str] = ()) -> Trace | None:
    """The trace of that id, or the richest of the last hour; None when there is none.

    With `services` only traces in which one of these has a span are looked at. EngineError when nobody
    answers.
    """
    plan = deployment.plan
    if _embedded(deployment):
        with connect(page(plan)) as client:
            if trace_id:
                return trace_page.fetch(client, trace_id)
            now = time.time()
            return trace_page.richest(client, Window(now - _LOOKBACK, now + _AHEAD, tuple(services)))
    # Jaeger's memory refuses to look for more traces than it holds.
    limit = min(RECENT, plan.profile.tracing.max_traces)
    with connect(plan.reached(plan.traces, Purpose.UI), deployment.access) as client:
        if trace_id:
            return fetch(client, trace_id)
        now = time.time()
        window = Window(now - _LOOKBACK, now, tuple(services) or Jaeger(client).services())
        return richest(recent(client, window, limit))


def address(deployment: Deployment, trace_id: str) -> str:
    """Where people look at a trace: in a browser where there is a page, else as JSON."""
    plan = deployment.plan
    if _embedded(deployment):
        return f"{page(plan)}/#trace={trace_id}"
    address = front(plan, plan.traces)
    if pageless(plan, plan.traces, deployment.access):
        return f"{address}/api/traces/{trace_id} (API only: this Jaeger has no pages)"
    return f"{address}/trace/{trace_id}"


def _embedded(deployment: Deployment) -> bool:
    """Whether there is a page in Jaeger's place."""
    return deployment.engine == EmbeddedEngine.name


def fetch(client: "httpx2.Client", trace_id: str) -> Trace | None:
    """The trace of that id; None when it is not stored."""
    found = (get(client, f"/api/traces/{trace_id}", {}) or {}).get("data") or ()
    return parse(found[0]) if found else None


def recent(client: "httpx2.Client", window: Window, limit: int) -> list[Trace]:
    """The latest traces of each service of the window, at most `limit` of each, every trace once."""
    found: dict[str, Trace] = {}
    bounds = {
        "start": round(window.start * _MICRO),
        "end": round((window.end + _AHEAD) * _MICRO),
        "limit": limit,
    }
    for service in window.services:
        answer = get(client, "/api/traces", {"service": service, **bounds})
        traces = (parse(one) for one in (answer or {}).get("data") or ())
        found |= {trace.trace_id: trace for trace in traces}
    return list(found.values())
