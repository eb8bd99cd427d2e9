"""Thanos on the real programs, as production runs it: every connection encrypted, every caller proven."""

import json
import shutil
import ssl
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import psutil
import pytest
import yaml

from loom.contract import foreign
from loom.deploy import api
from loom.deploy.artifacts import compose, grafana
from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.render import render
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.programs import DOCKER_COMPOSE, PROMTOOL
from loom.deploy.toolchain import require
from tests.waiting import until

NAME = "longterm"
PROFILE = """
extends: prod
name: longterm
metrics:
  scrape_interval: 2s
  longterm: {thanos: {}}
volumes: {thanos: 500GB}
workload: {processes: 1, events_per_second: 10}
canary: {enabled: false}
"""
OLD = "loom_recovered_from_the_store"
YESTERDAY = int(time.time()) // 7200 * 7200 - 86_400
"""Seconds since 1970, where a block begins."""


class Running:
    """The deployment, up."""

    def __init__(self, plan: Plan, root: Path) -> None:
        """Asks as `operator`."""
        self.plan = plan
        self.root = root
        own = root / "rendered/secrets/operator"
        self.context = ssl.create_default_context(cafile=str(own / "ca.pem"))
        word = (own / "password").read_text()
        self.login = f"Basic {b64encode(f'operator:{word}'.encode()).decode()}"

    def ask(self, service: Service, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        url = f"{self.plan.reached(service, Purpose.UI)}{path}?{urlencode(parameters)}"
        request = Request(url, headers={"Authorization": self.login})  # noqa: S310 - loopback
        try:
            with urlopen(request, timeout=10, context=self.context) as answer:  # noqa: S310 - loopback
                return json.loads(answer.read())["data"]
        except (URLError, OSError):
            return {}

    def query(self, text: str, **more: str) -> list[Any]:
        """What Thanos answers."""
        return self.found(Service.THANOS_QUERY, text, **more)

    def found(self, service: Service, text: str, **more: str) -> list[Any]:
        found: list[Any] = self.ask(service, "/api/v1/query", query=text, **more).get("result", [])
        return found


def count(found: list[Any]) -> float:
    """The one value of an answer; 0 without one."""
    return float(found[0]["value"][1]) if found else 0.0


def run(*arguments: str) -> None:
    command = ["loom-deploy", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def free_offset(file: Path) -> int:
    """Below the ports that this machine hands out itself."""
    for offset in range(16_000, 16_080, 7):
        if all(_free(port.native) for port in api.load_plan(file, [f"ports.offset={offset}"]).ports):
            return offset
    pytest.fail("no free range of ports")


def _free(port: int) -> bool:
    with socket() as listener:
        listener.setsockopt(1, 2, 1)
        return listener.connect_ex(("127.0.0.1", port)) != 0


def old_block(data: Path, moment: int) -> None:
    """A closed block of Prometheus' from yesterday, as its sidecar will find it."""
    lines = [f'{OLD}{{job="probe"}} {number} {moment + 15 * number}' for number in range(100)]
    text = data / "old.txt"
    text.write_text("\n".join([f"# TYPE {OLD} gauge", *lines, "# EOF", ""]))
    program = str(require(PROMTOOL)[PROMTOOL.name])
    command = [program, "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    text.unlink()


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    file = tmp_path / f"{NAME}.yaml"
    file.write_text(PROFILE)
    file.write_text(f"{PROFILE}ports: {{offset: {free_offset(file)}}}\n")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    root = tmp_path / "loom-deploy" / NAME
    run("certs", "create", "--profile", str(file))
    run("secrets", "init", "--profile", str(file))
    data = root / "data" / Service.PROMETHEUS
    data.mkdir(parents=True)
    old_block(data, YESTERDAY)
    try:
        run("up", "--profile", str(file), "--engine", "native")
        yield Running(api.load_plan(file), root)
    finally:
        run("down", "--name", NAME, "--volumes")
        shutil.rmtree(root, ignore_errors=True)


@pytest.mark.smoke
@pytest.mark.slow
def test_query_finds_what_is_new_and_what_only_the_store_has(running: Running) -> None:
    run("run", "--name", NAME, "--", "python", "-m", "loom.examples.bus_and_broker")
    ours = 'count({__name__=~"loom_event_bus_.+"})'
    here = until(lambda: count(running.found(Service.PROMETHEUS, ours)), "Loom's series in Prometheus")
    until(lambda: count(running.query(ours)) >= here, "all of them in Thanos")
    jobs = f'up{{job=~"{"|".join(map(str, THANOS))}"}} == 1'
    until(lambda: len(running.query(jobs)) == len(THANOS), "all of Thanos scraped")
    for series in foreign.THANOS:
        found = until(partial(running.query, series.name), series.name)
        assert {*series.labels} <= set(found[0]["metric"]), series
    halted = until(lambda: running.query(foreign.COMPACTOR_HALTED.name), "the compactor's word")
    assert count(halted) == 0
    bucket = running.root / "data" / Service.THANOS_COMPACTOR / "objects"
    until(lambda: list(bucket.glob("*/meta.json")), "the sidecar's upload")
    # The store looks every quarter of an hour, and at its start: it is killed, and comes back by itself.
    for process in psutil.process_iter(["environ", "cmdline"]):
        words, variables = process.info["cmdline"] or [], process.info["environ"] or {}
        if "store" in words[1:2] and variables.get("LOOM_DATA") == str(running.root / "data"):
            process.kill()
    port = running.plan.port(Service.THANOS_STORE, Purpose.STORE_API).native
    only = {"storeMatch[]": f'{{__address__="127.0.0.1:{port}"}}', "time": f"{YESTERDAY + 600}"}
    found = until(lambda: running.query(OLD, **only), "yesterday's block from the store alone")
    assert found[0]["metric"]["loom_deployment"] == NAME
    assert running.query('{__name__=~"loom_event_bus_.+"}', **{**only, "time": f"{time.time()}"}) == []


def test_the_jobs_are_the_services_names() -> None:
    jobs = {foreign.JOB_THANOS_SIDECAR, foreign.JOB_THANOS_STORE, foreign.JOB_THANOS_COMPACTOR}
    assert jobs | {foreign.JOB_THANOS_QUERY} == set(map(str, THANOS))


def rendered(plan: Plan) -> dict[str, Artifact]:
    return {artifact.path: artifact for artifact in render(plan)}


def test_containers_share_the_volumes_that_they_must(planned: Callable[..., Plan], tmp_path: Path) -> None:
    objstore = "{thanos: {objstore: {directory: /srv/blocks}}}"
    plan = planned(f"metrics: {{longterm: {objstore}}}\nvolumes: {{thanos: 900GB}}")
    text = rendered(plan)[compose.NAME].text
    services = yaml.safe_load(text)["services"]
    written = {
        one: {mount["source"] for mount in services[one].get("volumes", []) if not mount.get("read_only")}
        for one in map(str, THANOS)
    }
    assert written == {
        "thanos-sidecar": {"thanos-data", "/srv/blocks", "prometheus-data"},
        "thanos-store": {"thanos-data", "/srv/blocks"},
        "thanos-compactor": {"thanos-data", "/srv/blocks"},
        "thanos-query": set(),
    }
    assert {services[one]["user"] for one in written} == {"65534:65534"}
    assert all(services[one]["read_only"] and services[one]["mem_limit"] for one in written)
    assert "--storage.tsdb.min-block-duration=2h" in services["prometheus"]["command"]
    (tmp_path / "compose.yaml").write_text(text)
    program = str(require(DOCKER_COMPOSE)[DOCKER_COMPOSE.name])
    command = [program, "-f", str(tmp_path / "compose.yaml"), "config", "-q", "--no-interpolate"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_grafana_asks_thanos_where_there_is_one(planned: Callable[..., Plan]) -> None:
    plan = planned("metrics: {longterm: {thanos: {}}}\nvolumes: {thanos: 900GB}")
    sources = yaml.safe_load(grafana.artifacts(plan)[0].text)["datasources"]
    assert sources[0]["url"] == "https://thanos-query:10904"
    assert sources[0]["jsonData"]["prometheusType"] == "Thanos"
    assert sources[0]["basicAuthUser"] == "grafana"
