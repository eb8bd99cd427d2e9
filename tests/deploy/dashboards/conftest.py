"""Plans to render, and a real Prometheus filled from the contract: idle at one time, busy at another."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest

from loom.contract import canary, foreign, metrics
from loom.contract.metric import Kind, Metric
from loom.contract.naming import Naming
from loom.contract.objective import FAMILIES, SLO
from loom.contract.recording import LEVEL
from loom.contract.resource import TARGET_LABELS
from loom.contract.series import Part
from loom.deploy.artifacts import dashboards
from loom.deploy.plan import Plan, derive
from loom.deploy.plan.objectives import objectives
from loom.deploy.profile import load
from loom.deploy.programs import PROMETHEUS, PROMTOOL
from loom.deploy.toolchain.find import require

VARIANTS = {
    "dev": ("dev",),
    "prod": ("prod",),
    "namespaced": ("dev", "metrics.namespace=loom"),
    "suffixed": ("prod", "metrics.naming=prometheus"),
}
STEP = 15
POINTS = 24
ERAS = {"empty": 1_760_000_000, "idle": 1_760_010_000, "busy": 1_760_020_000}
"""When an era's first sample is, in Unix time; nothing is ever written in the first one."""
Launch = Callable[[list[str], str, str], None]
Sample = tuple[str, Callable[[int], float]]
"""A series with its labels, and its value at each point."""


@pytest.fixture(scope="session", params=VARIANTS)
def plan(request: pytest.FixtureRequest) -> Plan:
    name, *overrides = VARIANTS[request.param]
    return derive(load(name, overrides))


@pytest.fixture(scope="session")
def documents(plan: Plan) -> dict[str, dict[str, Any]]:
    """Uid → dashboard, parsed back from the artifact's text."""
    parsed = [json.loads(artifact.text) for artifact in dashboards.artifacts(plan)]
    return {document["uid"]: document for document in parsed}


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    address: str

    def get(self, path: str, **parameters: object) -> Any:  # noqa: ANN401 - an answer's shape depends on the path
        """The data of an answer of the HTTP API."""
        body = _fetch(self.address, f"/api/v1/{path}?{urlencode(parameters)}")
        return json.loads(body)["data"]

    def draw(self, query: str, era: str) -> list[dict[str, Any]]:
        """What Grafana draws in an era's second half: a list of series with `values`."""
        end = ERAS[era] + (POINTS - 1) * STEP
        return list(self.get("query_range", query=query, start=end - 120, end=end, step=STEP)["result"])

    def ask(self, query: str, era: str) -> list[dict[str, Any]]:
        """The answer at an era's end."""
        return list(self.get("query", query=query, time=ERAS[era] + (POINTS - 1) * STEP)["result"])


@pytest.fixture(scope="session")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Starts programs and waits until they answer; ends them after the last test."""
    log = tmp_path_factory.mktemp("logs") / "log"
    with ExitStack() as stack:

        def start(command: list[str], address: str, path: str) -> None:
            file = stack.enter_context(log.open("a"))
            process = stack.enter_context(subprocess.Popen(command, stdout=file, stderr=file))
            stack.callback(process.terminate)
            _await(address, path, process)

        yield start


@pytest.fixture(scope="session")
def free_address() -> Callable[[], str]:
    """Gives an address on loopback where nothing listens."""

    def find() -> str:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            return f"127.0.0.1:{one.getsockname()[1]}"

    return find


@pytest.fixture(scope="session")
def prometheus(
    tmp_path_factory: pytest.TempPathFactory, launch: Launch, free_address: Callable[[], str]
) -> Prometheus:
    """A Prometheus that has seen no, idle and busy Loom processes, under each naming in use."""
    programs = require(PROMETHEUS, PROMTOOL, environ=os.environ)
    folder = tmp_path_factory.mktemp("prometheus")
    with (folder / "samples.txt").open("w") as file:
        file.writelines((*_lines("idle", idle=True), *_lines("busy", idle=False), "# EOF\n"))
    blocks = ["tsdb", "create-blocks-from", "openmetrics", str(folder / "samples.txt"), str(folder / "data")]
    subprocess.run([programs["promtool"], *blocks], check=True, capture_output=True, timeout=120)
    strategy = Naming().translation_strategy
    (folder / "prometheus.yml").write_text(f"otlp: {{translation_strategy: {strategy}}}\n")
    address = free_address()
    command = [
        str(programs["prometheus"]),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--enable-feature=exemplar-storage",
        "--web.enable-otlp-receiver",
        f"--web.listen-address={address}",
    ]
    launch(command, address, "/-/ready")
    return Prometheus(address)


def _await(address: str, path: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(2400):
        with suppress(OSError, HTTPException):
            _fetch(address, path)
            return
        # Also how long we wait before asking again; it returns at once when the program died.
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            break
    pytest.fail(f"nothing answers at {address}{path}")


def _fetch(address: str, path: str) -> str:
    connection = HTTPConnection(address, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:
        raise HTTPException(body)
    return body


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _lines(era: str, *, idle: bool) -> Iterator[str]:
    namings = {plan.naming for plan in _plans()}
    # Some series are called the same under two namings.
    samples = dict(_foreign(idle=idle)) | dict(_recorded(idle=idle))
    for naming, metric in product(namings, metrics.ALL):
        samples |= dict(_measured(naming, metric, idle=idle))
    for series, value in samples.items():
        for point in range(POINTS):
            yield f"{series} {value(point):g} {ERAS[era] + point * STEP}\n"


def _measured(naming: Naming, metric: Metric, *, idle: bool) -> Iterator[Sample]:
    """Every series of a metric for all of its closed values, and two of each open attribute."""
    values = [attribute.values or ("a", "b") for attribute in metric.attributes]
    target = dict(zip(TARGET_LABELS, ("loom-core", "one", "production"), strict=True))
    for chosen in product(*values):
        own = [attribute.label for attribute in metric.attributes]
        labels = dict(zip(own, chosen, strict=True)) | target
        if metric.kind is Kind.HISTOGRAM:
            yield from _histogram(naming, metric, labels, idle=idle)
        else:
            counted = metric.kind is Kind.COUNTER
            yield _text(naming.series(metric).name, labels), _value(counted=counted, idle=idle)


def _histogram(naming: Naming, metric: Metric, labels: dict[str, str], *, idle: bool) -> Iterator[Sample]:
    """As many observations in each bucket, and one more above the last."""
    bounds = [*(f"{bound:g}" for bound in metric.boundaries), "+Inf"]
    name = naming.series(metric, Part.BUCKET).name
    for number, bound in enumerate(bounds, 1):
        yield _text(name, labels | {"le": bound}), _value(counted=True, idle=idle, share=number)
    total = sum(metric.boundaries) + metric.boundaries[-1]
    yield _text(naming.series(metric, Part.SUM).name, labels), _value(counted=True, idle=idle, share=total)
    count = _value(counted=True, idle=idle, share=len(bounds))
    yield _text(naming.series(metric, Part.COUNT).name, labels), count


def _foreign(*, idle: bool) -> Iterator[Sample]:
    troubles = () if idle else foreign.TROUBLE
    for series in (*foreign.ALWAYS, *canary.ALL, *troubles):
        labels = {label: "firing" if label == "alertstate" else f"{label}-1" for label in series.labels}
        if series is foreign.ALERTS and idle:
            continue
        yield _text(series.name, labels), _value(counted=series is not foreign.UP, idle=idle)


def _recorded(*, idle: bool) -> Iterator[Sample]:
    """What rules record of every objective."""
    names = {one.indicator.name for plan in _plans() for one in objectives(plan)}
    target = dict(zip(LEVEL, ("loom-core", "production"), strict=True))
    for series, name in product(FAMILIES, sorted(names)):
        yield _text(series.name, {SLO: name, **target}), _value(counted=False, idle=idle)


def _plans() -> Iterator[Plan]:
    return (derive(load(name, overrides)) for name, *overrides in VARIANTS.values())


def _value(*, counted: bool, idle: bool, share: float = 1) -> Callable[[int], float]:
    """A counter stands still when idle, and grows otherwise; a gauge is 0 when idle, and 1 otherwise."""
    if counted:
        return (lambda _: 7 * share) if idle else (lambda point: (7 + point) * share)
    return (lambda _: 0) if idle else (lambda _: 1)


def _text(name: str, labels: dict[str, str]) -> str:
    inner = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{inner}}}"
