"""The canary: telemetry that is sent through the real ingress and looked up in the stores, again and again.

`python -m loom.canary`; every variable it reads is in `loom.contract.canary`, the ingress in OTEL_….
"""

from loom.canary.service import serve
from loom.canary.settings import Settings, from_environ

__all__ = ["Settings", "from_environ", "serve"]
