"""Samples on their way out: three real Prometheus servers, TLS and passwords; one is killed meanwhile.

`edge` scrapes a program and writes everything to `central`, which is a deployment of production; `world`
gathers what central's rules have recorded.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import ThreadingHTTPServer
from shutil import copy

import pytest

from loom.contract import foreign
from loom.contract.federation import DEPLOYMENT_LABEL, FEDERATED, RECORDED
from loom.contract.metrics import ALL, event_bus
from loom.contract.naming import Naming
from loom.contract.resource import JOB
from loom.contract.series import Part
from loom.deploy import api
from loom.deploy.artifacts import rules
from loom.deploy.credentials import keeping
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.vault import prepare
from loom.deploy.plan.model import Purpose, Service
from tests.fire.remote import Exporter, Samples, Server, port
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow]
OUTAGE = 20
"""Scrapes, one a second, that the receiver misses."""

COMMON = """
metrics:
  scrape_interval: 1s
  retention: {size: 80GB}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Makes a server of a profile's text; it is ended with the module."""
    with ExitStack() as exits:

        def make(name: str, text: str, *more: str) -> Server:
            folder = tmp_path_factory.mktemp(name)
            (folder / f"{name}.yaml").write_text(f"name: {name}\n{text}")
            rendered = folder / "rendered"
            plan = api.load_plan(folder / f"{name}.yaml")
            made = Server(plan, rendered, prepare(rendered), more)
            exits.callback(made.kill)
            return made

        yield make


@pytest.fixture(scope="module")
def central(server: Callable[..., Server]) -> Server:
    text = f"""
extends: prod
{COMMON.strip()}
  federation: {{callers: [edge, world]}}
workload: {{processes: 1, events_per_second: 1}}
volumes: {{prometheus: 200GB}}
ports: {{prometheus: {port()}}}
"""
    made = server("central", text, "--web.enable-remote-write-receiver")
    create(made.plan, made.vault, Order())
    keeping.initialise(made.plan, made.vault)
    made.start()
    return made


def trusting(central: Server, caller: str, made: Server) -> None:
    """Hand a caller what central made for it."""
    own = made.vault.folder / str(Service.PROMETHEUS)
    own.mkdir(parents=True, exist_ok=True)
    copy(central.vault.file(caller, "password"), own / "central_password")
    copy(central.vault.file(caller, "ca.pem"), own / "central_ca")
    (own / "wrong_password").write_text("guessed")


@pytest.fixture(scope="module")
def edge(server: Callable[..., Server], central: Server) -> Iterator[Server]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Exporter) as exporter:
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        text = f"""
extends: dev
{COMMON.strip()}
  remote_write:
    - name: central
      url: https://localhost:{central.plan.port(Service.PROMETHEUS, Purpose.UI).native}/api/v1/write
      basic: {{user: edge, password_secret: central_password}}
      ca_secret: central_ca
volumes: {{prometheus: 200GB}}
ports: {{prometheus: {port()}, collector_exporter: {exporter.server_address[1]}}}
"""
        made = server("edge", text)
        trusting(central, "edge", made)
        made.start()
        yield made
        exporter.shutdown()


def complete(central: Server, seen: Samples) -> bool:
    got = central.samples(f'{{{DEPLOYMENT_LABEL}="edge"}}')
    return bool(seen) and all(values <= got.get(series, set()) for series, values in seen.items())


def test_every_sample_arrives_though_the_receiver_was_killed_and_away(edge: Server, central: Server) -> None:
    everything = '{__name__=~".+"}'
    probe = Naming().series(event_bus.PUBLISHED).name
    bucket = Naming().series(event_bus.PUBLISH_LATENCY, Part.BUCKET).name
    until(lambda: central.names(f'{{__name__="{probe}"}}'), "the first samples at the receiver")
    central.kill()
    before = until(lambda: edge.newest(probe), "a value at the sender")
    until(lambda: edge.newest(probe) > before + OUTAGE, "scrapes while the receiver is away")
    until(
        lambda: edge.newest(f"{foreign.REMOTE_SAMPLES_PENDING.name} > 0"),
        "what the alert on a store that is behind rests on",
    )
    central.start()
    seen, traces = edge.samples(everything), edge.exemplars(bucket)
    ours = {one.name for metric in ALL for one in Naming().all_series(metric)}
    assert ours <= edge.names(everything)
    assert max(len(values) for values in seen.values()) > OUTAGE
    until(lambda: complete(central, seen), f"all samples of {len(seen)} series at the receiver")
    assert len(traces) > OUTAGE
    until(lambda: traces <= central.exemplars(bucket), "all exemplars at the receiver")
    shown = edge.ask("series", **{"match[]": '{remote_name="central"}'})
    told = {one["__name__"]: set(one) for one in shown}
    assert all({*series.labels} <= told.get(series.name, set()) for series in foreign.REMOTE)
    lost = edge.ask("query", query='{__name__=~"prometheus_remote_storage_.+_(failed|dropped)_total"} > 0')
    assert lost["result"] == []


def test_a_global_server_gathers_what_is_recorded_and_nothing_else(
    server: Callable[..., Server], edge: Server, central: Server
) -> None:
    del edge  # it is who fills central
    address = central.plan.reached(Service.PROMETHEUS, Purpose.UI)
    text = f"""
extends: dev
{COMMON.strip()}
  federation:
    sources:
      - name: central
        url: {address}
        basic: {{user: world, password_secret: central_password}}
        ca_secret: central_ca
      - name: stranger
        url: {address}
        basic: {{user: world, password_secret: wrong_password}}
        ca_secret: central_ca
volumes: {{prometheus: 200GB}}
ports: {{prometheus: {port()}}}
"""
    world = server("world", text)
    trusting(central, "world", world)
    world.start()
    known = {name for one in rules.artifacts(central.plan) for name in re.findall(r"record: (\S+)", one.text)}
    local = until(lambda: central.names('{__name__=~"job:.+"}'), "recorded series")
    there = f'{{{DEPLOYMENT_LABEL}="central"}}'
    wanted = {name.replace(f"{JOB}:", f"{FEDERATED}:", 1) for name in local}
    until(lambda: wanted <= world.names(there), f"{len(wanted)} recorded series at the global server")
    assert local <= known
    assert all(re.fullmatch(RECORDED, name) for name in known)
    assert all(name.startswith(f"{FEDERATED}:") for name in world.names(there))
    assert world.names('{__name__=~"job:.+|loom_.+"}') == set()
    sources = 'up{job=~"federation-.+"}'

    def up() -> dict[str, str]:
        return {one["metric"]["job"]: one["value"][1] for one in world.ask("query", query=sources)["result"]}

    until(lambda: up() == {"federation-central": "1", "federation-stranger": "0"}, lambda: f"{up()}")
