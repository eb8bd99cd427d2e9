"""What Prometheus holds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from loom.contract import foreign
from loom.contract.promql import Matcher, call, select
from loom.contract.resource import JOB
from loom.contract.series import Series
from loom.deploy.verify.client import get
from loom.deploy.verify.evidence import Sample, Target

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Window:
    """Which telemetry counts."""

    start: float
    """Seconds since 1970."""
    end: float
    """Seconds since 1970."""
    services: tuple[str, ...] = ()
    """Values of `job` and Jaeger's services; every one when empty."""

    @property
    def duration(self) -> str:
        """As PromQL writes it, at least a second."""
        return f"{max(1, round(self.end - self.start))}s"

    def matchers(self) -> tuple[Matcher, ...]:
        """What selects the services."""
        if not self.services:
            return ()
        return (Matcher(JOB, "=~", "|".join(re.escape(service) for service in self.services)),)


class MetricStore(Protocol):
    """The seam to Prometheus. EngineError when it does not answer."""

    def samples(self, series: Series, window: Window) -> tuple[Sample, ...]:
        """The last value of each series of a name, also of processes that ended inside the window."""

    def existed(self, series: Series, window: Window) -> bool:
        """Whether a series was there when the window began."""

    def targets(self) -> tuple[Target, ...]:
        """Every scraped target, with what `up` says."""

    def exemplars(self, series: Series, window: Window) -> tuple[str, ...]:
        """Trace ids of the exemplars of a series name, without repetition."""


class Prometheus:
    """Prometheus' HTTP API."""

    def __init__(self, client: "httpx2.Client") -> None:
        """`client` has Prometheus' address as its base."""
        self._client = client

    def samples(self, series: Series, window: Window) -> tuple[Sample, ...]:
        """See `MetricStore.samples`."""
        selected = select(series, window.matchers(), window.duration)
        return self._query(str(call("last_over_time", selected)), window.end)

    def existed(self, series: Series, window: Window) -> bool:
        """See `MetricStore.existed`."""
        return bool(self._query(str(select(series, window.matchers())), window.start))

    def targets(self) -> tuple[Target, ...]:
        """See `MetricStore.targets`."""
        errors = self._errors()
        return tuple(
            Target(sample.labels[JOB], sample.value == 1, errors.get(sample.labels[JOB], ""))
            for sample in self._query(str(select(foreign.UP)), 0)
        )

    def exemplars(self, series: Series, window: Window) -> tuple[str, ...]:
        """See `MetricStore.exemplars`."""
        selector = str(select(series, window.matchers()))
        answer = get(
            self._client,
            "/api/v1/query_exemplars",
            {"query": selector, "start": window.start, "end": window.end},
        )
        labels = [exemplar["labels"] for row in answer["data"] or () for exemplar in row["exemplars"]]
        return tuple(dict.fromkeys(each["trace_id"] for each in labels if "trace_id" in each))

    def _errors(self) -> dict[str, str]:
        """Scrape job → what its last failed scrape said."""
        answer = get(self._client, "/api/v1/targets", {"state": "active"})
        return {row["labels"][JOB]: row["lastError"] for row in answer["data"]["activeTargets"]}

    def _query(self, expression: str, at: float) -> tuple[Sample, ...]:
        """An instant query; at 0 it is now."""
        parameters: dict[str, str | float] = {"query": expression}
        if at:
            parameters["time"] = at
        answer = get(self._client, "/api/v1/query", parameters)
        return tuple(_sample(row["metric"], row["value"]) for row in answer["data"]["result"])


def _sample(labels: dict[str, str], value: Sequence[str]) -> Sample:
    return Sample({k: v for k, v in labels.items() if k != "__name__"}, float(value[1]))
