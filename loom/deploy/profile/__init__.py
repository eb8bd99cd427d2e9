"""The typed profile: loading, merging and overriding it; nothing else."""

from loom.deploy.profile.load import load
from loom.deploy.profile.lockfile import Pins, pins
from loom.deploy.profile.model import Profile

__all__ = ["Pins", "Profile", "load", "pins"]
