"""Nothing is lost unseen: created = exported + lost, and nothing hangs."""

import logging
import socket
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api

from loom.contract.metrics import event_bus
from loom.contract.metrics import telemetry as own
from loom.contract.spans import agent
from loom.receiver import Recorder
from loom.telemetry import Options, Settings, Telemetry, setup
from loom.telemetry.batcher import BATCH, Batcher
from loom.telemetry.capture import Capture, MemoryMetrics, MemorySpans
from loom.telemetry.ledger import EXPORT_FAILED, QUEUE_FULL, SHUTDOWN, Ledger
from loom.telemetry.otlp import Exporters


def record(telemetry: Telemetry, spans: int) -> None:
    for _ in range(spans):
        with telemetry.span(agent.RUN, {}):
            pass


@pytest.mark.parametrize("spans", [0, 1, BATCH - 1, BATCH, 3 * BATCH + 7])
def test_all_spans_and_metrics_arrive_over_grpc_before_the_process_ends(
    receiver: Recorder, spans: int
) -> None:
    settings = Settings(traces_endpoint=receiver.endpoint, metrics_endpoint=receiver.endpoint)
    telemetry = setup(settings, Options(service_version="9.9"))
    telemetry.histogram(event_bus.PUBLISH_LATENCY).series("orders", "batched").add(1_000)
    record(telemetry, spans)
    assert telemetry.shutdown(20)
    assert [span.name for span in receiver.spans()] == ["run"] * spans
    latest = receiver.latest_metrics()
    assert latest[own.SPANS_EXPORTED.name].sum.data_points[0].as_int == spans
    assert latest[own.SPANS_CREATED.name].sum.data_points[0].as_int == spans
    assert latest[event_bus.PUBLISH_LATENCY.name].histogram.data_points[0].count == 1
    resource = {
        attribute.key: attribute.value.string_value
        for attribute in receiver.metrics[0].resource_metrics[0].resource.attributes
    }
    assert resource["service.version"] == "9.9"
    assert resource["deployment.environment.name"] == "development"
    assert len(resource["service.instance.id"]) == 36


def test_each_process_part_has_an_instance_id_of_its_own(receiver: Recorder) -> None:
    settings = Settings(traces_endpoint=receiver.endpoint, metrics_endpoint=receiver.endpoint)
    for _ in range(2):
        setup(settings).shutdown(20)
    ids = {
        attribute.value.string_value
        for request in receiver.metrics
        for attribute in request.resource_metrics[0].resource.attributes
        if attribute.key == "service.instance.id"
    }
    assert len(ids) == 2


def test_without_a_collector_shutdown_ends_within_its_deadline_and_counts_what_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket() as listening:  # a port where nobody answers
        listening.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{listening.getsockname()[1]}"
        telemetry = setup(Settings(traces_endpoint=nowhere, metrics_endpoint=nowhere))
        record(telemetry, 10)
        done = threading.Event()

        def stop() -> None:
            telemetry.shutdown(1.0)
            done.set()

        thread = threading.Thread(target=stop)
        with caplog.at_level(logging.CRITICAL):
            thread.start()
            assert done.wait(60)
            thread.join()
    ledger = telemetry.ledger
    assert ledger.created == 10
    assert ledger.exported == 0
    assert sum(ledger.lost.values()) == 10


def test_a_second_shutdown_does_nothing(captured: Capture) -> None:
    assert captured.telemetry.shutdown()
    assert captured.telemetry.shutdown()


def test_a_span_that_ends_after_shutdown_is_counted_as_lost(captured: Capture) -> None:
    captured.telemetry.shutdown()
    record(captured.telemetry, 3)
    ledger = captured.telemetry.ledger
    assert (ledger.created, ledger.lost[SHUTDOWN]) == (3, 3)


def test_initialisation_is_logged_in_the_documented_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "loom.telemetry"):
        setup(Settings(), Options(periodic=False), Exporters(MemorySpans(), MemoryMetrics())).shutdown()
    assert "OpenTelemetry initialized successfully" in caplog.messages
    assert caplog.records[0].module == "telemetry"


def test_a_disabled_sdk_makes_disabled_telemetry() -> None:
    telemetry = setup(Settings(disabled=True))
    assert not telemetry.enabled
    telemetry.become_global()
    assert telemetry.shutdown()


def test_becoming_global_lets_other_libraries_find_the_providers(
    captured: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[object] = []
    monkeypatch.setattr(trace_api, "set_tracer_provider", found.append)
    monkeypatch.setattr(metrics_api, "set_meter_provider", found.append)
    captured.telemetry.become_global()
    pipeline = captured.telemetry._pipeline
    assert pipeline is not None
    assert found == [pipeline.tracers, pipeline.reading.provider]


class Gate:
    """An exporter that answers only when it may."""

    def __init__(self) -> None:
        """Closed."""
        self.open = threading.Event()
        self.entered = threading.Event()
        self.sent: list[int] = []

    def __call__(self, batch: Sequence[int]) -> bool:
        self.entered.set()
        assert self.open.wait(60)
        self.sent.extend(batch)
        return True


def test_a_full_queue_loses_the_newest_and_counts_them() -> None:
    gate, ledger = Gate(), Ledger()
    batcher = Batcher(gate, ledger, 2 * BATCH)
    for number in range(BATCH):
        batcher.put(number)
    assert gate.entered.wait(60)  # one batch is on its way, the queue is empty
    for number in range(BATCH, 4 * BATCH):
        batcher.put(number)
    assert ledger.lost[QUEUE_FULL] == BATCH
    gate.open.set()
    assert batcher.shutdown(60)
    assert gate.sent == list(range(3 * BATCH))
    assert ledger.exported == 3 * BATCH


def test_a_shutdown_that_is_over_before_the_exporter_answers_counts_the_rest_as_lost_once() -> None:
    gate, ledger = Gate(), Ledger()
    batcher = Batcher(gate, ledger, 10 * BATCH)
    for number in range(2 * BATCH):
        batcher.put(number)
    assert gate.entered.wait(60)
    assert not batcher.shutdown(0.01)
    assert ledger.lost[SHUTDOWN] == 2 * BATCH
    gate.open.set()
    batcher._thread.join(60)
    assert (ledger.exported, ledger.lost[SHUTDOWN]) == (0, 2 * BATCH)


def test_a_flush_that_is_over_before_the_exporter_answers_says_so() -> None:
    gate, ledger = Gate(), Ledger()
    batcher = Batcher(gate, ledger, BATCH)
    batcher.put(1)
    assert not batcher.flush(0.01)
    gate.open.set()
    assert batcher.flush(60)
    batcher.shutdown(60)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["ok", "refused", "raised"]), max_size=8), st.integers(0, 5_000))
def test_every_span_is_either_exported_or_counted_as_lost(answers: list[str], spans: int) -> None:
    ledger = Ledger()
    pending = iter(answers)

    def send(_: Sequence[int]) -> bool:
        answer = next(pending, "ok")
        if answer == "raised":
            raise ConnectionError
        return answer == "ok"

    logging.getLogger("loom.telemetry.batcher").setLevel(logging.CRITICAL)
    batcher = Batcher(send, ledger, 1_000)
    for number in range(spans):
        batcher.put(number)
    batcher.shutdown(60)
    assert ledger.created == spans
    assert ledger.exported + sum(ledger.lost.values()) == spans
    if "refused" not in answers and "raised" not in answers:
        assert ledger.lost[EXPORT_FAILED] == 0


def test_spans_from_many_threads_are_all_counted() -> None:
    ledger = Ledger()
    batcher: Batcher[int] = Batcher(lambda _: True, ledger, 10**6)

    def put_many() -> None:
        for number in range(2_000):
            batcher.put(number)

    threads = [threading.Thread(target=put_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert batcher.shutdown(60)
    assert (ledger.created, ledger.exported) == (16_000, 16_000)
