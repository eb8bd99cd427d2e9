"""Every check, in the order of the way that telemetry takes: what one needs is before it."""

from loom.deploy.doctor.checks import (
    configuration,
    delivery,
    grafana,
    machine,
    receiver,
    runtime,
    series,
    services,
    stores,
)

CHECKS = (
    *configuration.CHECKS,
    *machine.CHECKS,
    *services.CHECKS,
    *runtime.CHECKS,
    *delivery.CHECKS,
    *stores.CHECKS,
    *series.CHECKS,
    *receiver.CHECKS,
    *grafana.CHECKS,
)
