"""Addresses that are secrets: whom Alertmanager calls, and whether what it says can be read on the way."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from loom.deploy.plan.identity import Secret
from loom.deploy.plan.model import Plan, Service
from loom.deploy.plan.policy import PRODUCTION

HINT = (
    "write https://; only a relay on this machine, http://localhost or a container's name, may be called so"
)


def exposed(plan: Plan, one: Secret, text: str) -> bool:
    """Whether production would send alerts, and the secret in their address, in plain text to elsewhere."""
    called = one.holder == Service.ALERTMANAGER and one.file in plan.profile.alerting.addresses
    if not called or plan.profile.environment not in PRODUCTION:
        return False
    try:
        parts = urlsplit(text.strip())
    except ValueError:  # no address: who calls it says so
        return False
    return parts.scheme == "http" and not _here(parts.hostname or "")


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        # One word is a container's name: Docker's own networks, which do not leave the machine.
        return "." not in host
