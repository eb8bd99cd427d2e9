"""Real programs, changed by hand while they run: `diff --live` must name each change, and no other."""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.deploy.drift.live import defaults, tree
from loom.deploy.drift.live.tree import Manner
from loom.deploy.engine import Home
from loom.deploy.engine.compose.project import container_names
from loom.deploy.engine.lifecycle import client
from loom.deploy.engine.processes import free
from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.profile import load
from loom.deploy.programs import ALERTMANAGER, PROMETHEUS
from loom.deploy.toolchain import require
from tests.smoke.engines import deploy
from tests.waiting import until

WIDE = Path(__file__).parent / "wide"


@dataclass
class Stack:
    """A deployment of the profile dev that runs."""

    state: Path
    name: str
    offset: int

    @property
    def home(self) -> Home:
        """Its folders."""
        return Home.of(self.name, {"XDG_STATE_HOME": str(self.state)})

    @property
    def plan(self) -> Plan:
        """Its ports."""
        return derive(load("dev", self.sets))

    @property
    def sets(self) -> tuple[str, ...]:
        """Diagnostics have ports too high for every offset."""
        return (f"ports.offset={self.offset}", "collector.diagnostics=false")

    def up(self, engine: str) -> None:
        """Start it."""
        chosen = [part for text in self.sets for part in ("--set", text)]
        done = deploy(self.state, "up", "--profile", "dev", "--engine", engine, "--name", self.name, *chosen)
        assert done.returncode == 0, done.stderr

    def diff(self) -> tuple[int, dict[str, Any]]:
        """Exit code and report of `diff --live`."""
        done = deploy(self.state, "diff", "--live", "--name", self.name, "--json")
        assert not done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout)

    def edit(self, path: str, old: str, new: str) -> None:
        """Edit a rendered file by hand."""
        file = self.home.rendered / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    def reload(self, service: Service) -> None:
        """Let a program read its configuration anew."""
        os.kill(client(self.home).programs()[service].pid, signal.SIGHUP)

    def until_says(self, service: Service, path: str, text: str) -> None:
        """Wait until a page of the program has the text."""
        url = f"http://{self.plan.published(service, Purpose.UI)}{path}"
        until(lambda: text in urllib.request.urlopen(url, timeout=10).read().decode())


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Free ports, and nothing left afterwards."""
    made = (Stack(tmp_path, "drifting", offset) for offset in range(12_000 + os.getpid() % 100, 15_900, 103))
    stack = next(each for each in made if all(free(port.native) for port in each.plan.ports))
    try:
        yield stack
    finally:
        deploy(tmp_path, "down", "--name", stack.name, "--volumes")


def named(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["program"], one["path"]) for one in report["differences"]}


@pytest.mark.smoke
def test_a_hand_edit_that_a_running_program_has_read_is_named_and_nothing_else(stack: Stack) -> None:
    stack.up("native")
    code, report = stack.diff()
    assert (code, report["differences"], report["unreached"]) == (0, [], [])
    stack.edit("native/prometheus.yml", "evaluation_interval: 5s", "evaluation_interval: 31s")
    stack.edit("prometheus/rules/loom-alerts.yaml", "for: 2m", "for: 47m")
    stack.edit("native/alertmanager.yml", "repeat_interval: 4h", "repeat_interval: 5h")
    stack.edit("native/otel-collector-config.yaml", "queue_size: 20000", "queue_size: 12345")
    code, report = stack.diff()
    pending = {one["program"]: one["meaning"] for one in report["differences"]}
    assert code == 1
    assert "at its next reload" in pending["prometheus"]
    assert "after it was started" in pending["otel-collector"]
    assert ("prometheus", "rules") in named(report)
    for service in (Service.PROMETHEUS, Service.ALERTMANAGER):
        stack.reload(service)
    stack.until_says(Service.PROMETHEUS, "/api/v1/status/config", "evaluation_interval: 31s")
    stack.until_says(Service.PROMETHEUS, "/api/v1/rules", f'"duration":{47 * 60}')  # taken up after the rest
    stack.until_says(Service.ALERTMANAGER, "/api/v2/status", "repeat_interval: 5h")
    code, report = stack.diff()
    rule = next(path for program, path in named(report) if path.endswith(" for"))
    assert code == 1
    assert named(report) == {
        ("prometheus", "$.global.evaluation_interval"),
        ("prometheus", rule),
        ("alertmanager", "$.route.repeat_interval"),
        ("otel-collector", "$.exporters.otlp_grpc/jaeger.sending_queue.queue_size"),
    }
    taken = [one["source"] for one in report["differences"] if one["program"] != "otel-collector"]
    assert set(taken) == {"/api/v1/status/config", "/api/v1/rules", "/api/v2/status"}
    client(stack.home).stop(Service.JAEGER.value)
    until(lambda: not client(stack.home).programs()[Service.JAEGER].pid)
    assert [one["program"] for one in stack.diff()[1]["unreached"]] == ["jaeger"]


@pytest.mark.smoke
@pytest.mark.docker
def test_a_container_that_was_given_less_memory_is_named_and_nothing_else(stack: Stack) -> None:
    stack.up("compose")
    code, report = stack.diff()
    assert (code, report["differences"], report["unreached"]) == (0, [], [])
    box = container_names(stack.name, stack.plan)[Service.JAEGER]
    told = ["docker", "update", "--memory", "700m", "--memory-swap", "700m", box]
    subprocess.run(told, check=True, capture_output=True, timeout=60)
    code, report = stack.diff()
    assert code == 1
    assert named(report) == {("jaeger", "mem_limit"), ("jaeger", "memswap_limit")}
    assert {one["live"] for one in report["differences"]} == {"700 MiB"}


def answered(command: list[str], url: str) -> dict[str, Any]:
    """What a program answers once it does; it is ended then."""
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def asked() -> dict[str, Any]:
        try:
            return dict(json.load(urllib.request.urlopen(url, timeout=5)))  # noqa: S310 - our own
        except OSError:
            assert program.poll() is None, command
            return {}

    try:
        return until(asked, f"{url} answers")
    finally:
        program.terminate()
        program.wait()


@pytest.mark.smoke
@pytest.mark.parametrize("service", [PROMETHEUS.name, ALERTMANAGER.name])
def test_what_the_pinned_programs_add_by_themselves_is_known(service: str, tmp_path: Path) -> None:
    port = next(port for port in range(19_950, 20_400) if free(port))
    prometheus = service == PROMETHEUS.name
    path, program = ("/api/v1/status/config", PROMETHEUS) if prometheus else ("/api/v2/status", ALERTMANAGER)
    file = WIDE / f"{service}.yml"
    command = [str(require(program)[program.name]), f"--config.file={file}"]
    command += [f"--storage.{'tsdb.' * prometheus}path={tmp_path}", f"--web.listen-address=127.0.0.1:{port}"]
    body = answered(
        command + ["--cluster.listen-address="] * (not prometheus), f"http://127.0.0.1:{port}{path}"
    )
    text = body["data"]["yaml"] if prometheus else body["config"]["original"]
    rendered, live = yaml.safe_load(file.read_text()), yaml.safe_load(text)
    assert tree.count(rendered) > 20
    if prometheus:
        inherited = {"scrape_interval": ("15s",), "scrape_timeout": ("10s",)}
        manner = Manner({**defaults.PROMETHEUS, **inherited}, str(WIDE))
    else:
        names = tuple({"name": one["name"]} for one in live["receivers"])
        manner = Manner({**defaults.ALERTMANAGER, "labels": names}, str(WIDE), filled=defaults.RECEIVER)
    assert list(tree.compare(rendered, live, manner)) == []
