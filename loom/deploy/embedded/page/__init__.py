"""The page: what the inspection sees, in a browser on this machine, and as JSON for programs."""

from loom.deploy.embedded.page.application import About, application

__all__ = ["About", "application"]
