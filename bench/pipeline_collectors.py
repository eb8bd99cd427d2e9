"""The collectors that are compared, and the one behind them that counts.

Ours run as the native engine would start them, on what `render` writes and with the credentials that
`certs create` and `secrets init` make; in place of Jaeger and Prometheus another collector listens, which
takes what arrives and counts it by whom it came from.
"""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import psutil

from bench.bring_up import find_offset, perform
from bench.pipeline_load import Signal, Target
from bench.programs import running, wait
from bench.startup import COMMAND
from loom.deploy import api
from loom.deploy.artifacts.collector import MESSAGE_MIB
from loom.deploy.artifacts.supervisor import processes
from loom.deploy.engine import Home, configuration, readiness
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.identity import CA, CERTIFICATE, FOLDER, KEY
from loom.deploy.plan.model import Plan, Purpose, Service, Site
from loom.deploy.programs import OTELCOL
from loom.deploy.toolchain import require
from loom.deploy.verify.client import connect
from loom.errors import EngineError

SECONDS = 60.0
"""For the rest of a burst to arrive."""
_POLL = 0.02
_ALWAYS = ("metrics.delivery=otlp",)
_STOP_SECONDS = 30

Tree = dict[str, Any]
"""A collector's configuration."""


@dataclass(frozen=True, slots=True)
class Collector:
    """One that is compared, running."""

    target: Target
    telemetry: str
    """`127.0.0.1:8888`: where it says what it has taken."""
    pid: int
    behind: tuple[str, ...]
    """The counting collector's receivers that get what this one hands on."""

    def processor_seconds(self) -> float:
        """Of all its threads so far, in user and system mode."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@dataclass(frozen=True, slots=True)
class Running:
    """All that are compared, and where arrivals are counted."""

    collectors: Mapping[str, Collector]
    counter: str
    """Telemetry address of the one that counts."""

    @property
    def tick(self) -> float:
        """Seconds by which processor time is counted."""
        return 1 / os.sysconf("SC_CLK_TCK")

    def counts(self, name: str, signal: Signal) -> tuple[int, int]:
        """Items that a collector has taken so far, and items that have arrived from it."""
        one = self.collectors[name]
        taken = total(_scrape(one.telemetry), signal.series.name)
        return taken, total(_scrape(self.counter), signal.series.name, one.behind)

    def settle(self, name: str, signal: Signal, before: tuple[int, int]) -> tuple[int, int]:
        """The counts once all that was taken since has arrived, or the time for it is over."""
        end = time.monotonic() + SECONDS
        while True:
            now = self.counts(name, signal)
            if now[1] - before[1] >= now[0] - before[0] or time.monotonic() > end:
                return now
            time.sleep(_POLL)


def total(text: str, series: str, receivers: Sequence[str] = ()) -> int:
    """The sum over a counter's series in a scraped text; of these receivers only, if any are named."""
    found = re.findall(rf"^{series}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE)
    asked = [f'receiver="{receiver}"' for receiver in receivers]
    return round(
        sum(float(value) for labels, value in found if not asked or any(one in labels for one in asked))
    )


@contextmanager
def started(folder: Path, names: tuple[str, str, str]) -> Iterator[Running]:
    """The plain collector, ours with the queue in memory, and ours with the queue on disk, under these names.

    LoomError when a program is missing, or does not start.
    """
    plain, *queues = names
    environ = {**os.environ, "XDG_STATE_HOME": str(folder)}
    grpc, plain_telemetry, plain_behind, counter = (f"127.0.0.1:{port}" for port in _free_ports(4))
    sites: list[tuple[Plan, Home]] = []
    for storage in ("memory", "disk"):
        offset = int(sites[-1][0].profile.ports.offset) if sites else 0
        sites.append(_prepare(storage, offset, environ))
    receivers: Tree = {"otlp/plain": _receiver("grpc", plain_behind)}
    for (plan, home), name in zip(sites, queues, strict=True):
        receivers |= _stores(plan, home, name)
    with ExitStack() as stack:
        start = partial(_start, stack, sites[0][1])
        start(_counting(receivers, counter), counter)
        pid = start(_plain(grpc, plain_behind, plain_telemetry), plain_telemetry)
        collectors = {plain: Collector(Target(grpc), plain_telemetry, pid, ("otlp/plain",))}
        for (plan, home), name in zip(sites, queues, strict=True):
            collectors[name] = _ours(stack, plan, home, name)
        yield Running(collectors, counter)


def _prepare(storage: str, beyond: int, environ: Mapping[str, str]) -> tuple[Plan, Home]:
    """Render prod, and make its credentials."""
    chosen = (*_ALWAYS, f"collector.queue.storage={storage}")
    sets = (*chosen, f"ports.offset={find_offset('prod', *chosen, beyond=beyond)}")
    home = Home.of(f"bench-{storage}", environ)
    where = [*(part for text in sets for part in ("--set", text)), "--output", str(home.rendered)]
    for command in (["render"], ["certs", "create"], ["secrets", "init"]):
        perform([COMMAND, *command, "--profile", "prod", *where], environ)
    home.make()
    return api.load_plan("prod", sets), home


def _ours(stack: ExitStack, plan: Plan, home: Home, name: str) -> Collector:
    service = Service.COLLECTOR
    process = next(one for one in processes(plan) if one.service is service)
    environ = configuration.environment(home, require(OTELCOL), os.environ)
    program = stack.enter_context(running(plan, home, process, environ))
    telemetry = plan.listen(service, Purpose.TELEMETRY, Site.NATIVE)
    wait(program, lambda: readiness.ask(f"http://{telemetry}/metrics"))
    target = Target(plan.listen(service, Purpose.OTLP_GRPC, Site.NATIVE), home.rendered / FOLDER / LOOM)
    return Collector(target, telemetry, program.pid, tuple(_stores(plan, home, name)))


def _start(stack: ExitStack, home: Home, tree: Tree, telemetry: str) -> int:
    """Start a collector of the benchmark's own; its process id."""
    file = home.root / f"collector-{telemetry.rpartition(':')[2]}.yaml"
    file.write_text(json.dumps(tree))
    environ = configuration.environment(home, require(OTELCOL), os.environ)
    command = [str(require(OTELCOL)[OTELCOL.name]), "--config", str(file)]
    quiet = subprocess.DEVNULL
    program = stack.enter_context(subprocess.Popen(command, env=environ, stdout=quiet, stderr=quiet))
    stack.callback(program.terminate)
    wait(program, lambda: readiness.ask(f"http://{telemetry}/metrics"))
    return program.pid


def _plain(grpc: str, behind: str, telemetry: str) -> Tree:
    """OTLP in, OTLP out, and nothing else said."""
    exporter = {"otlp_grpc": {"endpoint": behind, "tls": {"insecure": True}}}
    return _tree({"otlp": _receiver("grpc", grpc)}, exporter, telemetry)


def _counting(receivers: Tree, telemetry: str) -> Tree:
    return _tree(receivers, {"nop": {}}, telemetry)


def _tree(receivers: Tree, exporter: Tree, telemetry: str) -> Tree:
    pipeline = {"receivers": list(receivers), "exporters": list(exporter)}
    host, _, port = telemetry.rpartition(":")
    # Counted by the same names as ours.
    names = dict.fromkeys(("without_type_suffix", "without_units", "without_scope_info"), True)
    reader = {"pull": {"exporter": {"prometheus": {"host": host, "port": int(port), **names}}}}
    return {
        "receivers": receivers,
        "exporters": exporter,
        "service": {
            "telemetry": {"metrics": {"readers": [reader]}},
            "pipelines": {"traces": pipeline, "metrics": pipeline},
        },
    }


def _stores(plan: Plan, home: Home, name: str) -> Tree:
    """What stands for Jaeger and for Prometheus: their ports, with their certificates."""
    secrets, slug = home.rendered / FOLDER, name.replace(" ", "-")
    jaeger = plan.listen(Service.JAEGER, Purpose.OTLP_GRPC, Site.NATIVE)
    prometheus = plan.listen(Service.PROMETHEUS, Purpose.UI, Site.NATIVE)
    known = {"client_ca_file": str(secrets / Service.JAEGER / CA)}
    large = {"max_recv_msg_size_mib": MESSAGE_MIB, "tls": _certified(secrets / Service.JAEGER) | known}
    path = {"metrics_url_path": "/api/v1/otlp/v1/metrics", "tls": _certified(secrets / Service.PROMETHEUS)}
    return {
        f"otlp/{slug}-jaeger": _receiver("grpc", jaeger, large),
        f"otlp/{slug}-prometheus": _receiver("http", prometheus, path),
    }


def _certified(folder: Path) -> Tree:
    return {"cert_file": str(folder / CERTIFICATE), "key_file": str(folder / KEY), "min_version": "1.3"}


def _receiver(protocol: str, endpoint: str, settings: Tree | None = None) -> Tree:
    return {"protocols": {protocol: {"endpoint": endpoint, **(settings or {})}}}


def _scrape(address: str) -> str:
    with connect(f"http://{address}") as client:
        try:
            return client.get("/metrics").text
        except httpx2.HTTPError as error:
            message = f"{address} does not say what it has counted: {error}"
            raise EngineError(message) from error


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]
