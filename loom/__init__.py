"""Loom: an event-driven runtime for AI agents, and loom-deploy, which deploys and proves its telemetry."""
