"""The resource every Loom process reports, and the labels it becomes in Prometheus."""

from loom.contract.attribute import Attribute

SERVICE_NAME = Attribute("service.name", "Name of the service; the label `job`.")
SERVICE_VERSION = Attribute("service.version", "Version of the service; on `target_info` only.")
SERVICE_INSTANCE_ID = Attribute("service.instance.id", "Unique per process; the label `instance`.")
ENVIRONMENT = Attribute("deployment.environment.name", "Deployment environment.")

ALL = (SERVICE_NAME, SERVICE_VERSION, SERVICE_INSTANCE_ID, ENVIRONMENT)

JOB = "job"
"""Prometheus label that holds service.name."""
INSTANCE = "instance"
"""Prometheus label that holds service.instance.id."""
ENVIRONMENT_LABEL = ENVIRONMENT.label
"""Prometheus label that holds deployment.environment.name, on either delivery path."""

TARGET_LABELS = (JOB, INSTANCE, ENVIRONMENT_LABEL)
"""Labels on every Loom series besides its own attributes."""
