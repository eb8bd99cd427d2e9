"""A point, on its way to Prometheus."""

from time import time_ns

from opentelemetry.sdk.metrics.export import (
    Gauge,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from loom.canary.letter import Letter
from loom.canary.store import Store
from loom.contract import canary
from loom.contract.promql import Matcher, binary, scalar, select
from loom.contract.resource import INSTANCE, SERVICE_INSTANCE_ID
from loom.contract.series import Series
from loom.telemetry.version import VERSION


class MetricCourier:
    """Sends the number of the round as a gauge, and finds it again in the series of this process."""

    signal = "metrics"

    def __init__(self, exporter: MetricExporter, resource: Resource, store: Store, series: Series) -> None:
        """`store` is Prometheus, `series` what it calls the gauge."""
        self._exporter = exporter
        self._resource = resource
        self._store = store
        instance = str(resource.attributes[SERVICE_INSTANCE_ID.name])
        self._selected = select(series, (Matcher(INSTANCE, "=", instance),))

    def send(self, letter: Letter) -> bool:
        """See `Courier.send`."""
        self._store.renew()
        return self._exporter.export(_data(self._resource, letter.number)) is MetricExportResult.SUCCESS

    def find(self, letter: Letter) -> bool:
        """See `Courier.find`."""
        expression = str(binary(self._selected, ">=", scalar(letter.number)))
        answer = self._store.get("/api/v1/query", {"query": expression})
        return bool(answer and answer["data"]["result"])

    def close(self) -> None:
        """See `Courier.close`."""
        self._exporter.shutdown()
        self._store.renew()


def _data(resource: Resource, number: int) -> MetricsData:
    now, sent = time_ns(), canary.SENT
    point = NumberDataPoint(attributes={}, start_time_unix_nano=now, time_unix_nano=now, value=number)
    metric = Metric(sent.name, sent.description, sent.unit, Gauge([point]))
    scope = ScopeMetrics(InstrumentationScope(sent.scope, VERSION), [metric], "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])
