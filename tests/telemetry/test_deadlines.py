"""Flush and shutdown keep their deadlines whatever an exporter does, and say whether everything arrived."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from loom.contract.spans import agent
from loom.telemetry import Options, Settings, Telemetry, aside, setup
from loom.telemetry.batcher import Batcher
from loom.telemetry.capture import MemoryMetrics, MemorySpans
from loom.telemetry.ledger import EXPORT_FAILED, Ledger
from loom.telemetry.otlp import Exporters

PATIENCE = 60.0
"""Seconds after which what is stuck goes on, so that a deadline that is not kept fails its test."""


class Stuck:
    """What does not answer until it is released."""

    def __init__(self) -> None:
        """Nobody came yet."""
        self.released = threading.Event()
        self.passed = False

    def wait(self) -> None:
        self.released.wait(PATIENCE)
        self.passed = True


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    made = Stuck()
    yield made
    made.released.set()


class StuckMetrics(MemoryMetrics):
    """An exporter that ignores how long it may take."""

    def __init__(self, stuck: Stuck) -> None:
        """Until that is released."""
        super().__init__()
        self._stuck = stuck

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **kwargs: Any,  # noqa: ANN401 - the SDK's own signature
    ) -> MetricExportResult:
        self._stuck.wait()
        return super().export(metrics_data, timeout_millis, **kwargs)


class StuckSpans(MemorySpans):
    """An exporter that cannot be shut down."""

    def __init__(self, stuck: Stuck) -> None:
        """Until that is released."""
        super().__init__()
        self._stuck = stuck

    def shutdown(self) -> None:
        self._stuck.wait()


class RefusedSpans(MemorySpans):
    """An exporter whose collector refuses some batches."""

    def __init__(self) -> None:
        """At first it refuses all of them."""
        super().__init__()
        self.refusing = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.FAILURE if self.refusing else super().export(spans)


@contextmanager
def full_pool(stuck: Stuck) -> Iterator[None]:
    """Every thread of the running loop's pool is busy inside the block."""
    loop, pool = asyncio.get_running_loop(), ThreadPoolExecutor(1)
    loop.set_default_executor(pool)
    busy = loop.run_in_executor(None, stuck.wait)
    try:
        yield
        assert not busy.done()
    finally:
        stuck.released.set()


def record(telemetry: Telemetry) -> None:
    with telemetry.span(agent.RUN, {}):
        pass


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("finish", [Telemetry.flush, Telemetry.shutdown])
def test_an_exporter_of_metrics_that_ignores_its_deadline_keeps_nobody_waiting(
    stuck: Stuck, finish: Callable[[Telemetry, float], bool], *, periodic: bool
) -> None:
    telemetry = setup(Settings(), Options(periodic=periodic), Exporters(MemorySpans(), StuckMetrics(stuck)))
    assert finish(telemetry, 0.01) is False
    assert not stuck.passed
    stuck.released.set()
    telemetry.shutdown()


@pytest.mark.parametrize("finish", [Telemetry.flush, Telemetry.shutdown])
def test_spans_that_were_refused_have_not_arrived(finish: Callable[[Telemetry, float], bool]) -> None:
    spans = RefusedSpans()
    telemetry = setup(Settings(), Options(periodic=False), Exporters(spans, MemoryMetrics()))
    record(telemetry)
    assert finish(telemetry, PATIENCE) is False
    assert telemetry.ledger.lost[EXPORT_FAILED] == 1
    telemetry.shutdown()


def test_what_was_refused_before_a_flush_is_not_held_against_it() -> None:
    spans = RefusedSpans()
    telemetry = setup(Settings(), Options(periodic=False), Exporters(spans, MemoryMetrics()))
    record(telemetry)
    assert not telemetry.flush(PATIENCE)
    spans.refusing = False
    record(telemetry)
    assert telemetry.flush(PATIENCE)
    assert telemetry.shutdown(PATIENCE)
    assert len(spans.spans) == 1


def test_a_batch_that_is_refused_while_a_flush_waits_for_it_has_not_arrived() -> None:
    entered = threading.Event()

    def refuse(_: Sequence[int]) -> bool:
        entered.set()
        return not batcher._wake.wait(PATIENCE)  # which the flush does once it knows what failed before

    batcher = Batcher(refuse, Ledger(), 10, batch=2, delay=0.001)
    batcher.put(1)
    assert entered.wait(PATIENCE)
    assert not batcher.flush(PATIENCE)
    batcher.shutdown(PATIENCE)


def test_telemetry_is_closed_in_time_while_every_thread_of_the_pool_is_busy(stuck: Stuck) -> None:
    spans = MemorySpans()
    telemetry = setup(Settings(), Options(periodic=False), Exporters(spans, MemoryMetrics()))

    async def run() -> None:
        with full_pool(stuck):
            record(telemetry)
            async with asyncio.timeout(PATIENCE / 2):
                assert await telemetry.close(PATIENCE)
            assert len(spans.spans) == 1

    asyncio.run(run())


def test_a_close_that_is_cancelled_sends_what_is_left_all_the_same(stuck: Stuck) -> None:
    spans, metrics = MemorySpans(), StuckMetrics(stuck)
    telemetry = setup(Settings(), Options(periodic=False), Exporters(spans, metrics))

    async def run() -> None:
        record(telemetry)
        closing = asyncio.create_task(telemetry.close(PATIENCE / 2))
        await asyncio.sleep(0)
        closing.cancel()  # as a second signal does
        await asyncio.sleep(0.01)
        assert not closing.done()
        stuck.released.set()
        await asyncio.wait({closing})
        assert closing.cancelled()
        assert (len(spans.spans), stuck.passed) == (1, True)

    asyncio.run(run())


def test_an_exporter_that_cannot_be_shut_down_does_not_keep_a_program_from_ending(
    stuck: Stuck, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("loom.telemetry.telemetry.SPARE_SECONDS", 0.01)
    telemetry = setup(Settings(), Options(periodic=False), Exporters(StuckSpans(stuck), MemoryMetrics()))
    assert asyncio.run(telemetry.close(0.01)) is False
    assert not stuck.passed
    assert "an exporter does not end" in caplog.text


def test_what_an_error_of_a_shutdown_says_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: float) -> bool:
        message = "no"
        raise OSError(message)

    telemetry = Telemetry.disabled()
    monkeypatch.setattr(telemetry, "shutdown", fail)
    with pytest.raises(OSError, match="no"):
        asyncio.run(telemetry.close())


def test_where_no_thread_can_be_started_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        message = "can't create new thread at interpreter shutdown"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert aside.start(lambda: "done", "late").result(0) == "done"
