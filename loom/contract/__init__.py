"""The telemetry contract: every metric, span and attribute, and the names they get in Prometheus.

Standard library only. Runtime, rules, dashboards, documents and `verify` all derive from it.
"""
