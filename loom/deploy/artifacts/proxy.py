"""The proxy's configuration: passwords and TLS in front of what has no users of its own."""

from loom.deploy.artifacts import protection
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.place import below, suffix
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.identity import USERS
from loom.deploy.plan.model import Plan, Purpose, Service, Site

NAME = "Caddyfile"


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The configuration for either site; none where nobody authenticates."""
    return tuple(_artifact(plan, site) for site in Site) if Service.PROXY in plan.services else ()


def _artifact(plan: Plan, site: Site) -> Artifact:
    host, _, port = plan.listen(Service.PROXY, Purpose.UI, site).rpartition(":")
    facts = {
        "host": host,
        "port": port,
        "users": f"{_imported(site)}/{USERS}",
        "guard": protection.guard(plan, Service.PROXY, Purpose.UI, site),
        "pass": protection.credentials(plan, str(Service.PROXY), Service.JAEGER, Purpose.UI, site),
        "jaeger": plan.url(Service.JAEGER, Purpose.UI, site),
    }
    text = fill(f"proxy/{NAME}.j2", **facts)
    return Artifact(
        below(site, NAME), text, f"Caddy: asks for a password before Jaeger{suffix(site)}.", Check.CADDY
    )


def _imported(site: Site) -> str:
    """Caddy imports relative to the file that says so, and reads all else from where it was started."""
    party = str(Service.PROXY)
    return protection.folder(party, site) if site is Site.COMPOSE else protection.beside(party)
