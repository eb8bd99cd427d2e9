"""What every process says about itself."""

from importlib.metadata import version as installed
from uuid import uuid4

from opentelemetry.sdk.resources import (
    TELEMETRY_SDK_LANGUAGE,
    TELEMETRY_SDK_NAME,
    TELEMETRY_SDK_VERSION,
    Resource,
)

from loom.contract import resource as contract
from loom.telemetry.settings import Settings


def describe(settings: Settings, version: str) -> Resource:
    """The contract's resource attributes, then those of the environment, then the SDK's.

    The instance id is new for each call unless the environment names one.
    """
    attributes = {
        TELEMETRY_SDK_LANGUAGE: "python",
        TELEMETRY_SDK_NAME: "opentelemetry",
        TELEMETRY_SDK_VERSION: installed("opentelemetry-sdk"),
        contract.SERVICE_INSTANCE_ID.name: str(uuid4()),
        contract.SERVICE_VERSION.name: version,
        **settings.resource,
        contract.SERVICE_NAME.name: settings.service_name,
        contract.ENVIRONMENT.name: settings.deployment,
    }
    return Resource(attributes)
