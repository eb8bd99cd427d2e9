"""Images: which a deployment needs; built here where none can be pulled, carried along, pinned by digest."""

from loom.deploy.images.builder import Workshop, build
from loom.deploy.images.bundle import Cargo, Delivery, load, save
from loom.deploy.images.daemon import Daemon, Docker, connect
from loom.deploy.images.fake import FakeDaemon
from loom.deploy.images.inventory import inventory, wanted
from loom.deploy.images.manifest import Manifest
from loom.deploy.images.model import Action, Image, Origin, Pin, Present, Result, Wanted
from loom.deploy.images.pinning import lock, merged, write
from loom.deploy.images.runtime import Runtime
from loom.deploy.images.wheels import build_wheel, fetch, here

__all__ = [
    "Action",
    "Cargo",
    "Daemon",
    "Delivery",
    "Docker",
    "FakeDaemon",
    "Image",
    "Manifest",
    "Origin",
    "Pin",
    "Present",
    "Result",
    "Runtime",
    "Wanted",
    "Workshop",
    "build",
    "build_wheel",
    "connect",
    "fetch",
    "here",
    "inventory",
    "load",
    "lock",
    "merged",
    "save",
    "wanted",
    "write",
]
