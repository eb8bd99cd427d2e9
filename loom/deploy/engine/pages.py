"""Whether a program has web pages: one that was built from its Go module alone is an API only."""

import http.client

from loom.deploy.credentials.access import PLAIN, Access
from loom.deploy.engine.readiness import fetch
from loom.deploy.plan.model import Plan, Purpose, Service

_PAGES = {
    Service.JAEGER: "/",
    Service.PROXY: "/",
    Service.PROMETHEUS: "/query",
    Service.ALERTMANAGER: "/",
}
"""Service → a page that it has. Grafana comes as an image only, which has all of them."""
_STAND_IN = b"not compiled with the UI assets"
"""What Jaeger's own page says when it is in the place of the others."""


def pageless(plan: Plan, service: str, access: Access = PLAIN) -> bool:
    """Whether it answers, and not with its page; False for what has none anyway."""
    found = next((one for one in plan.services if one == service and one.role in _PAGES), None)
    if found is None:
        return False
    try:
        status, body = fetch(f"{plan.reached(found, Purpose.UI)}{_PAGES[found.role]}", access)
    except (OSError, http.client.HTTPException):
        return False
    return status != http.client.OK or b"<html" not in body.lower() or _STAND_IN in body
