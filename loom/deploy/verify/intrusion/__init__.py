"""Whether each port of the edge graph refuses whoever does not belong there."""

from loom.deploy.verify.intrusion.break_in import Ground, intrude

__all__ = ["Ground", "intrude"]
