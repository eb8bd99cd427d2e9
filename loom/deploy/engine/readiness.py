"""Whether a service can do its work: what each is asked, and the asking."""

import http.client
from urllib.parse import urlsplit

from loom.deploy.artifacts import balancer
from loom.deploy.credentials.access import PLAIN, Access
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.plan.topology import COLLECTORS

_CONTAINER_ONLY = frozenset({Service.GRAFANA})
"""What can be had as an image only."""

_TIMEOUT = 5.0
"""Seconds for one answer on loopback: who answers late, on a busy machine, must not pass for gone."""

_ASKED = {
    **dict.fromkeys(COLLECTORS, ((Purpose.HEALTH, "/"),)),
    Service.BALANCER: ((Purpose.OTLP_HTTP, balancer.READY),),
    # Alive is not enough: `verify` and people ask its query API.
    Service.JAEGER: ((Purpose.HEALTH, "/status"), (Purpose.UI, "/api/services")),
    Service.PROMETHEUS: ((Purpose.UI, "/-/ready"),),
    Service.ALERTMANAGER: ((Purpose.UI, "/-/ready"),),
    Service.GRAFANA: ((Purpose.UI, "/api/health"),),
    Service.PROXY: ((Purpose.UI, "/api/services"),),
    Service.CANARY: ((Purpose.EXPORTER, "/metrics"),),
    **dict.fromkeys(THANOS, ((Purpose.UI, "/-/ready"),)),
}
_FRONT = {
    **dict.fromkeys((*COLLECTORS, Service.BALANCER), Purpose.OTLP_GRPC),
    Service.CANARY: Purpose.EXPORTER,
}


def native(plan: Plan) -> tuple[Service, ...]:
    """The services that run as local processes."""
    return tuple(service for service in plan.services if service not in _CONTAINER_ONLY)


def questions(plan: Plan, service: Service) -> tuple[str, ...]:
    """URLs that all answer 200 once the service is ready."""
    return tuple(f"{plan.reached(service, purpose)}{path}" for purpose, path in _ASKED[service.role])


def front(plan: Plan, service: Service) -> str:
    """The URL by which the user reaches the service."""
    purpose = _FRONT.get(service.role, Purpose.UI)
    return f"{plan.scheme(service, purpose)}://localhost:{plan.port(service, purpose).native}"


def shown(plan: Plan, service: Service) -> str:
    """The same of a container; empty when it publishes no such port."""
    port = plan.port(service, _FRONT.get(service.role, Purpose.UI))
    return front(plan, service) if port.published else ""


def obstacle(plan: Plan, service: Service, access: Access = PLAIN) -> str:
    """Why the service is not ready, by its own answer; empty when it is."""
    return next(filter(None, (ask(url, access) for url in questions(plan, service))), "")


def published(plan: Plan, service: Service, access: Access = PLAIN) -> str:
    """The same of a container, asked on those ports that it publishes."""
    asked = [
        (purpose, path) for purpose, path in _ASKED[service.role] if plan.port(service, purpose).published
    ]
    urls = (f"{plan.reached(service, purpose)}{path}" for purpose, path in asked)
    return next(filter(None, (ask(url, access) for url in urls)), "")


def ask(url: str, access: Access = PLAIN, timeout: float = _TIMEOUT) -> str:
    """What is wrong with the answer to a GET, without any proxy; empty when it is 200."""
    try:
        status, _ = fetch(url, access, timeout)
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {_reason(error)}"
    return "" if status == http.client.OK else f"{url} answers {status}"


def fetch(url: str, access: Access = PLAIN, timeout: float = _TIMEOUT) -> tuple[int, bytes]:
    """Status and body of the answer to a GET, without any proxy; OSError or HTTPException without one."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.netloc, timeout=timeout, context=access.context()
        )
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request("GET", parts.path, headers=access.headers())
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _reason(error: Exception) -> str:
    strerror = getattr(error, "strerror", None)
    return (strerror or str(error) or type(error).__name__).lower()
