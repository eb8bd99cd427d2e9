"""Which paths are asked of which endpoint: pure data."""

from loom.deploy.doctor.stack import Endpoint

METRICS = "/metrics"
READY = "/-/ready"
BUILD = "/api/v1/status/buildinfo"
TARGETS = "/api/v1/targets?state=active"
RULES = "/api/v1/rules"
NAMES = "/api/v1/label/__name__/values"
ALERTMANAGERS = "/api/v1/alertmanagers"
ALERTMANAGER_STATUS = "/api/v2/status"
JAEGER_SERVICES = "/api/services"
GRAFANA_HEALTH = "/api/health"
GRAFANA_SOURCES = "/api/datasources"
REPORT = "/api/report"
GRAFANA_SEARCH = "/api/search?type=dash-db&limit=1000"

ASKED = {
    Endpoint.COLLECTOR_HEALTH: ("/",),
    Endpoint.COLLECTOR_METRICS: (METRICS,),
    Endpoint.COLLECTOR_EXPORTER: (METRICS,),
    Endpoint.JAEGER: (JAEGER_SERVICES,),
    Endpoint.JAEGER_METRICS: (METRICS,),
    Endpoint.PROMETHEUS: (READY, BUILD, TARGETS, RULES, NAMES, ALERTMANAGERS, METRICS),
    Endpoint.ALERTMANAGER: (READY, ALERTMANAGER_STATUS),
    Endpoint.RECEIVER: (REPORT,),
    Endpoint.GRAFANA: (GRAFANA_HEALTH, GRAFANA_SOURCES, GRAFANA_SEARCH),
}
"""Endpoint → paths; the first is the one that says whether it answers at all."""
