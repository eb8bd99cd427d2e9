"""grafana-foundation-sdk: its models, the only part that we use, and slow to import.

Models and not builders: the builders import the models of Grafana's two newer dashboard formats as well,
which takes twice as long, and file provisioning accepts the classic format only.
"""

import warnings

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import bargauge, common, heatmap, prometheus, stat, timeseries

with warnings.catch_warnings():
    # The classic model warns, when imported, that newer formats exist; Grafana does not provision those.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.models import dashboard

__all__ = [
    "JSONEncoder",
    "bargauge",
    "common",
    "dashboard",
    "heatmap",
    "prometheus",
    "stat",
    "timeseries",
]
