"""The whole runtime on a running stack: one trace across processes, documented queries, numbers, outages."""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loom.contract import environment
from loom.contract import metrics as m
from loom.contract.metric import Metric
from loom.contract.naming import Naming
from loom.contract.promql import Queries
from loom.deploy.plan.model import Purpose, Service
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow]

Stack = Any  # of conftest, which test modules cannot import

NAMING = Naming(namespace="loom")
OFTEN = {environment.EXPORT_INTERVAL.name: "1000"}
"""Metrics are exported every second, so that a short run is seen while it lasts."""
LOAD_SECONDS = float(os.environ.get("LOOM_SMOKE_LOAD_SECONDS", "6"))
"""The load's full form is 30 seconds."""

DOCUMENTED_QUERIES = {
    "event throughput": "rate(loom_loom_event_bus_published_total[5m])",
    "P99 action invocation latency": (
        "histogram_quantile(0.99, rate(loom_loom_action_broker_invoke_latency_bucket[5m]))"
    ),
    "active agents over time": "loom_loom_agent_runtime_agents_active",
    "tool invocation success rate": (
        'sum(rate(loom_loom_action_broker_invocations_total{status="ok"}[5m])) /\n'
        "sum(rate(loom_loom_action_broker_invocations_total[5m]))"
    ),
    "MCP tools by server": "sum by (server) (loom_loom_mcp_manager_tools_registered)",
}
"""As they stand in the user's document."""

DOCUMENTED_SEARCHES: dict[str, dict[str, str]] = {
    "service": {},
    "operation publish": {"operation": "publish"},
    "operation invoke": {"operation": "invoke"},
    "operation add_server": {"operation": "add_server"},
    "tag agent_id": {"tags": '{"agent_id":"planner"}'},
    "tag capability": {"tags": '{"capability":"llm.generate"}'},
    "duration": {"minDuration": "100ms"},
}
"""As Jaeger's page asks for what stands in the user's document."""


@dataclass(frozen=True)
class Trip:
    """The example `mcp_integration`, which has run."""

    stack: Stack
    said: dict[str, Any]
    started: float


def rows(stack: Stack, metric: Metric, service: str, by: tuple[str, ...] = ()) -> dict[str, float]:
    """Label value → sum, of one service's metric; `""` is the only one without a label."""
    found = stack.ask(Queries(NAMING).where(job=service).value(metric, by))
    return {labels[by[0]] if by else "": value for labels, value in found if value}


def nonzero(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def selector(metric: Metric, service: str) -> str:
    return f'{NAMING.series(metric).name}{{job="{service}"}}'


@pytest.fixture(scope="module")
def loomed(stacks: Callable[[str], Stack]) -> Stack:
    """Up with the double prefix of the user's document, and scraped often."""
    stack = stacks("runtime")
    stack.up("metrics.namespace=loom", "metrics.scrape_interval=1s", "alerting.slo.window=1d")
    return stack


@pytest.fixture(scope="module")
def trip(loomed: Stack) -> Trip:
    started = time.time()
    said = loomed.loom("loom-example", "loom.examples.mcp_integration", **OFTEN)
    assert said["expectations"]["unmet"] == []
    return Trip(loomed, said, started)


@pytest.fixture(scope="module")
def grown(trip: Trip) -> float:
    """When, in seconds since 1970, all had grown that a rate is taken of."""
    query = Queries(NAMING).where(job="loom-rounds").value(m.telemetry.SPANS_CREATED)
    program = Path(__file__).parent / "programs" / "rounds.py"
    address = trip.stack.address(Service.PROMETHEUS, Purpose.UI)
    said = trip.stack.loom("loom-rounds", program, address, query.text, **OFTEN)
    assert said == {"unmet": [], "arrived": True}
    active = selector(m.mcp_manager.SERVERS_ACTIVE, "loom-rounds")
    # A scrape that failed leaves every gauge without a value until the next.
    return until(lambda: now if trip.stack.ask(active, now := time.time()) else 0.0)


def paths(document: dict[str, Any]) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """Operations from the root down to a span → the spans with that path."""
    above: list[str] = []
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for span in document["spans"]:
        above[span["depth"] :] = [span["operation"]]
        found.setdefault(tuple(above), []).append(span)
    return found


def test_one_trace_leads_from_the_event_through_another_process_and_back(trip: Trip) -> None:
    def stored() -> dict[str, Any]:
        done = trip.stack.run("trace", trip.said["trace_id"], "--json")
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {"spans": []}

    run = ("publish", "run")
    call = (*run, "execute_action", "invoke", "MCP send tools/call forecast", "tools/call forecast")
    wanted = {(*run, "route_event", "route"), call, (*run, "publish", "run", "route_event", "route")}

    def whole() -> dict[str, Any]:
        found = stored()
        return found if found["spans"] and wanted <= {*paths(found)} and not found["missing_parents"] else {}

    # The two processes send their parts each in their own time.
    tree = until(whole, lambda: f"{wanted - {*paths(stored())}} are not there")
    found = paths(tree)
    assert len(found["publish",]) == 1
    assert [path for path in found if path[0] != "publish"] == []
    [client], [server] = found[call[:-1]], found[call]
    assert (client["kind"], server["kind"]) == ("client", "server")
    assert (client["service"], server["service"]) == ("loom-example", "loom-example-weather")
    assert client["instance"] != server["instance"]
    mine = {one["instance"] for one in tree["instances"] if one["service"].startswith("loom-example")}
    assert len(mine) == len(tree["instances"]) >= 2
    assert {span["attributes"]["agent_id"] for span in found[run]} == {"planner"}
    assert {span["attributes"]["agent_id"] for span in found[*run, "publish", "run"]} == {"desk"}


def test_the_richest_trace_is_printed_for_people_one_line_a_span(trip: Trip) -> None:
    done = trip.stack.run("trace", "--service", "loom-example")
    assert done.returncode == 0, done.stderr
    heading, _, table = done.stdout.partition("\nSPAN ")
    assert heading.startswith(f"trace {trip.said['trace_id']}\n")
    tree = json.loads(trip.stack.run("trace", trip.said["trace_id"], "--json").stdout)
    assert len(table.splitlines()) - 1 == len(tree["spans"])
    assert f"{len(tree['spans'])} spans, " in heading
    for one in tree["instances"]:
        assert one["instance"] in heading


def test_a_trace_that_is_not_there_is_a_finding_and_what_is_no_id_is_wrong_usage(loomed: Stack) -> None:
    done = loomed.run("trace", "0" * 31 + "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no trace 00000000000000000000000000000001 in runtime (it takes a few" in done.stderr
    done = loomed.run("trace", "latest")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'latest' is no trace id" in done.stderr
    done = loomed.run("trace", "--service", "nobody")
    assert done.returncode == 1
    assert "no trace of nobody has arrived in runtime" in done.stderr


@pytest.mark.parametrize("query", DOCUMENTED_QUERIES.values(), ids=list(DOCUMENTED_QUERIES))
def test_a_documented_query_returns_data(trip: Trip, grown: float, query: str) -> None:
    good = [value for _, value in trip.stack.ask(query, grown) if math.isfinite(value)]
    assert good
    if "rate" in query:
        assert max(good) > 0


def test_the_documented_query_of_tools_names_each_server(trip: Trip, grown: float) -> None:
    found = trip.stack.ask(DOCUMENTED_QUERIES["MCP tools by server"], grown)
    assert "weather" in {labels["server"] for labels, _ in found}


@pytest.mark.parametrize("search", DOCUMENTED_SEARCHES.values(), ids=list(DOCUMENTED_SEARCHES))
def test_a_documented_search_finds_traces(trip: Trip, search: dict[str, str]) -> None:
    def found() -> list[dict[str, Any]]:
        window = {"start": int(trip.started * 1e6), "end": int(time.time() * 1e6)}
        form = {
            "service": "loom-example",
            "limit": 20,
            "lookback": "1h",
            "maxDuration": "",
            "minDuration": "",
        }
        return list(trip.stack.search(**{**form, **window, **search}))

    until(found)
    for trace in found():
        names = {key: process["serviceName"] for key, process in trace["processes"].items()}
        spans = [span for span in trace["spans"] if names[span["processID"]] == "loom-example"]
        tags = [{tag["key"]: tag["value"] for tag in span["tags"]} for span in spans]
        for key, value in json.loads(search.get("tags", "{}")).items():
            assert any(each.get(key) == value for each in tags)
        assert search.get("operation", spans[0]["operationName"]) in {s["operationName"] for s in spans}
        assert "minDuration" not in search or max(span["duration"] for span in spans) >= 100_000


def test_under_load_prometheus_and_jaeger_have_what_the_program_counted(loomed: Stack) -> None:
    started = time.time() - 1
    said = loomed.loom(
        "loom-under-load",
        "loom.examples.load",
        *("--rate", "5000", "--seconds", f"{LOAD_SECONDS:g}", "--faults", "0.01"),
        *("--sampler", "traceidratio=0.1"),
        **OFTEN,
    )
    assert said["arrived"]
    assert said["published"] == round(5000 * LOAD_SECONDS)
    bus, broker = m.event_bus, m.action_broker
    assert said["spans"]["exported"] == said["spans"]["created"]
    wanted = (
        (bus.PUBLISHED, (), {"": said["published"]}),
        (bus.DELIVERED, (), {"": said["delivered"]}),
        (bus.DROPPED, ("reason",), nonzero(said["dropped"])),
        (broker.INVOCATIONS, ("status",), nonzero(said["calls"])),
        (m.telemetry.SPANS_EXPORTED, (), {"": said["spans"]["exported"]}),
    )

    def counted() -> dict[str, dict[str, float]]:
        return {metric.name: rows(loomed, metric, "loom-under-load", by) for metric, by, _ in wanted}

    numbers = {metric.name: counts for metric, _, counts in wanted}
    until(lambda: counted() == numbers, lambda: f"{counted()} in Prometheus, counted {numbers}")

    def stored() -> tuple[int, int]:
        """Traces and spans."""
        found = loomed.stored("loom-under-load", started)
        return len(found), sum(found.values())

    sent = (said["traces"], said["spans"]["exported"])
    until(lambda: stored() == sent, lambda: f"{stored()} in Jaeger, sent {sent}")


def test_a_server_killed_under_load_comes_back_and_every_number_says_so(loomed: Stack) -> None:
    service, manager = "loom-outages", m.mcp_manager
    active = selector(manager.SERVERS_ACTIVE, service)
    kills = 2
    said = loomed.loom(
        service,
        Path(__file__).parent / "programs" / "outages.py",
        loomed.address(Service.PROMETHEUS, Purpose.UI),
        active,
        *("--kills", str(kills)),
        **OFTEN,
    )
    # The program: no call hung, each had an end and a reason, and the tools are the same after each outage.
    assert said["arrived"]
    assert said["begun"] == sum(said["ended"].values())
    assert set(said["ended"]) == {"ok", "error"}
    assert set(said["errors"]) <= {"CONNECTION_LOST", "SERVER_UNAVAILABLE"}
    assert len(set(said["pids"])) == kills + 1
    assert said["tools"] == [said["tools"][0]] * (kills + 1)
    # Prometheus: both gauges fell and rose with every kill, and fell when the program took its leave.
    tools = selector(manager.TOOLS_REGISTERED, service)
    ups = {active: 1.0, tools: float(len(said["tools"][0]))}

    def changes() -> dict[str, list[list[float]]]:
        found = {gauge: [values for _, values in loomed.history(gauge)] for gauge in ups}
        # An export may come before the first connection.
        return {gauge: [each[each[:1] == [0.0] :] for each in series] for gauge, series in found.items()}

    wanted = {gauge: [[up, 0.0] * (kills + 1)] for gauge, up in ups.items()}
    until(lambda: changes() == wanted, lambda: f"{changes()} instead of {wanted}")

    def counted() -> tuple[dict[str, float], ...]:
        asked = (
            (manager.RECONNECTIONS, "outcome"),
            (m.action_broker.ERRORS, "error_code"),
            (m.action_broker.INVOCATIONS, "status"),
        )
        return tuple(rows(loomed, metric, service, (label,)) for metric, label in asked)

    numbers = ({"ok": kills, "failed": said["refused"]}, said["errors"], said["ended"])
    until(lambda: counted() == numbers, lambda: f"{counted()} in Prometheus, counted {numbers}")
