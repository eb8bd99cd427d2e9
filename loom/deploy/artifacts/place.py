"""Where an artifact goes: the one rule for the folder of a site."""

from loom.deploy.plan.model import Site


def below(site: Site, name: str) -> str:
    """The artifact's path: the compose files on top, those of the native engine in `native/`."""
    return name if site is Site.COMPOSE else f"native/{name}"


def suffix(site: Site) -> str:
    """What the descriptions of the native files end with."""
    return "" if site is Site.COMPOSE else ", for the native engine: the same on loopback addresses"
