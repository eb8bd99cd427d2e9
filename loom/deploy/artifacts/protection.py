"""Where each party finds its credentials, and what protects a port or a call: data for the templates."""

from dataclasses import dataclass

from loom.deploy.plan.identity import CA, CERTIFICATE, FOLDER, KEY, PASSWORD, TOKEN, WEB
from loom.deploy.plan.model import Method, Plan, Purpose, Service, Site

MOUNTED = "/run/secrets"
"""Where a container sees its own folder of credentials."""
RENDERED = "rendered"
"""A deployment's folder of rendered files, beside that of run-time files."""
RELOAD = "1m"
"""How often collector and Jaeger look whether a certificate file has changed."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What a port that speaks TLS is told."""

    ca: str
    """Whose certificates its callers must show; empty when they prove themselves otherwise."""
    cert: str
    key: str
    minimum: str
    """`1.3`."""
    token: str = ""
    """The file with the token that callers must show; empty without."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a caller that speaks TLS is told."""

    ca: str
    cert: str
    key: str
    minimum: str
    user: str = ""
    """The name it calls itself by with a password; empty without."""
    password: str = ""
    """The file that holds it."""


def folder(party: str, site: Site) -> str:
    """The folder of a party's credentials, as its own configuration names it.

    Prometheus looks from the folder of its configuration, everybody else from where it was started: natively
    that is the folder of run-time files, which stays where it is when everything is rendered anew.
    """
    if site is Site.COMPOSE:
        return MOUNTED
    return beside(party) if party == Service.PROMETHEUS else f"../{RENDERED}/{FOLDER}/{party}"


def beside(party: str) -> str:
    """The same as seen from the native configuration files."""
    return f"../{FOLDER}/{party}"


def flags(plan: Plan, service: Service, site: Site) -> tuple[str, ...]:
    """What Prometheus and Alertmanager are told on their command line when they are protected."""
    if not plan.encrypted(service):
        return ()
    at = MOUNTED if site is Site.COMPOSE else f"%(here)s/../{FOLDER}/{service}"
    return (f"--web.config.file={at}/{WEB}", f"--web.external-url={page(plan, service)}")


def page(plan: Plan, service: Service) -> str:
    """Where the links of a notification lead: by the first name that other machines know."""
    port = plan.port(service, Purpose.UI).native
    host = next(iter(plan.profile.security.tls.hosts), "localhost")
    return f"{plan.scheme(service, Purpose.UI)}://{f'[{host}]' if ':' in host else host}:{port}"


def guard(plan: Plan, service: Service, purpose: Purpose, site: Site) -> Guard | None:
    """How a port is guarded; None when it is plain."""
    edges = [edge for edge in plan.edges if (edge.service, edge.purpose) == (service, purpose)]
    if not any(edge.encrypted for edge in edges):
        return None
    methods = {edge.method for edge in edges}
    at = folder(str(service), site)
    ca = f"{at}/{CA}" if Method.CERTIFICATE in methods else ""
    token = f"{at}/{TOKEN}" if Method.TOKEN in methods else ""
    return Guard(ca, f"{at}/{CERTIFICATE}", f"{at}/{KEY}", plan.profile.security.tls.minimum, token)


def credentials(plan: Plan, source: str, service: Service, purpose: Purpose, site: Site) -> Pass | None:
    """What a caller shows on an edge; None when it is plain."""
    for edge in plan.edges:
        if (edge.source, edge.service, edge.purpose) == (source, service, purpose) and edge.encrypted:
            at = folder(source, site)
            own = Pass(f"{at}/{CA}", f"{at}/{CERTIFICATE}", f"{at}/{KEY}", plan.profile.security.tls.minimum)
            if edge.method is Method.PASSWORD:
                return Pass(own.ca, own.cert, own.key, own.minimum, source, f"{at}/{PASSWORD}")
            return own
    return None
