"""The prod profile on a Docker Engine: all arrives over TLS, and no container may more than it needs."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from loom.contract import canary
from loom.deploy.artifacts.compose import STOP_SECONDS
from loom.deploy.plan.edges import LOOM, PROBE
from loom.deploy.plan.model import Network, Service
from tests.production.conftest import Contained
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "containers.md"
_MIB = 2**20
pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.docker]


def _row(service: str, box: dict[str, Any]) -> str:
    host = box["HostConfig"]
    networks = sorted(name.rpartition("_")[2] for name in box["NetworkSettings"]["Networks"])
    ports = sorted(port.partition("/")[0] for port, bound in (host["PortBindings"] or {}).items() if bound)
    cells = (
        service,
        box["Config"]["User"],
        "read-only" if host["ReadonlyRootfs"] else "writable",
        f"none but {', '.join(host['CapAdd'])}" if host["CapAdd"] else "none",
        f"{host['Memory'] // _MIB} MiB",
        f"{host['NanoCpus'] / 1e9:g}",
        str(host["PidsLimit"]),
        " ".join(networks) or "none",
        " ".join(ports) or "none",
    )
    return f"| {' | '.join(cells)} |"


def test_everything_arrives_over_tls_and_the_canary_sees_it(contained: Contained) -> None:
    for _ in range(2):
        contained.must(
            "run", "--name", contained.name, "--", "python3", "-m", "loom.examples.mcp_integration"
        )
    shown = contained.must("verify", "--name", contained.name, "--timeout", "200")
    assert re.search(r"(\d+) of \1 as expected", shown), shown
    seen = f"{canary.LAST_SUCCESS.name} > 0"
    until(lambda: {row["metric"]["signal"] for row in contained.query(seen)} == set(canary.SIGNALS))


def test_no_container_may_more_than_it_needs(contained: Contained) -> None:
    plan = contained.plan
    for service, box in contained.boxes().items():
        host = box["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        # Upstream's Caddy is not started without the capability that its file carries; it listens above 1024.
        assert host["CapAdd"] == (["CAP_NET_BIND_SERVICE"] if service == Service.PROXY else None), service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert 0 < host["PidsLimit"] <= 512, service
        assert 0 < host["Memory"] == host["MemorySwap"], service
        assert not host["Privileged"], service
        assert host["LogConfig"]["Config"]["max-size"], service
        assert not any("docker.sock" in mount["Source"] for mount in box["Mounts"]), service
        if not service.startswith("init-"):
            assert int(box["Config"]["User"].split(":")[0]) > 0, service
            assert host["NanoCpus"] > 0, service
        if service in plan.services:
            assert host["Memory"] == plan.container(Service(service)).memory_mib * _MIB
            assert box["Config"]["StopTimeout"] == STOP_SECONDS[Service(service)]


def test_only_needed_ports_are_published_and_only_on_loopback(contained: Contained) -> None:
    plan, published = contained.plan, set()
    for box in contained.boxes().values():
        for bound in (box["HostConfig"]["PortBindings"] or {}).values():
            published |= {(one["HostIp"], int(one["HostPort"])) for one in bound or ()}
    wanted = {port.native for port in plan.ports if port.published and port.service is not Service.GRAFANA}
    assert published == {("127.0.0.1", port) for port in wanted}


def test_networks_keep_apart_what_has_no_edge(contained: Contained) -> None:
    assert contained.network(Network.BACKEND)["Internal"]
    reach = "import socket; socket.create_connection(({!r}, {}), 3)"
    assert contained.python(LOOM, reach.format("otel-collector", 4317)).returncode == 0
    for host, port in (("jaeger", 16686), ("prometheus", 9090), ("alertmanager", 9093), ("proxy", 16686)):
        assert contained.python(LOOM, reach.format(host, port)).returncode, host


def test_a_container_s_own_files_cannot_be_changed(contained: Contained) -> None:
    for service in (LOOM, PROBE, str(Service.CANARY)):
        for path in ("/etc/passwd", "/opt/loom/x", "/run/secrets/x"):
            done = contained.python(service, f"open({path!r}, 'a')")
            assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr, (
                service,
                path,
            )


def test_certificates_are_replaced_while_everything_runs(contained: Contained) -> None:
    before = {service: box["State"]["StartedAt"] for service, box in contained.boxes().items()}
    contained.must("certs", "rotate", *contained.which)
    contained.must("certs", "check", *contained.which)
    contained.wait()
    contained.must("run", "--name", contained.name, "--", "python3", "-m", "loom.examples.bus_and_broker")
    after = {service: box["State"]["StartedAt"] for service, box in contained.boxes().items()}
    assert after == before


def test_the_table_of_containers_is_what_docker_says(contained: Contained) -> None:
    boxes = contained.boxes()
    rows = [_row(service, boxes[service]) for service in sorted(boxes)]
    head, end = "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n", "\n\nGrafana"
    text = PAGE.read_text()
    if os.environ.get("LOOM_WRITE_DOCS"):
        before, _, rest = text.partition(head)
        text = before + head + "\n".join(rows) + end + rest.partition(end)[2]
        PAGE.write_text(text)
    assert text.partition(head)[2].partition(end)[0].splitlines() == rows, "run with LOOM_WRITE_DOCS=1"
