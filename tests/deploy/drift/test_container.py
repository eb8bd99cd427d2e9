"""Containers as Docker holds them against containers as the compose file has them; both are data here."""

from typing import Any

import pytest
import yaml

from loom.deploy.artifacts.render import render
from loom.deploy.drift.live import Difference, Program
from loom.deploy.drift.live.contained import size, unknown, wanted
from loom.deploy.drift.live.inspected import image, program
from loom.deploy.drift.live.program import differences
from loom.deploy.plan import derive
from loom.deploy.profile import load

COMPOSE = """
services:
  jaeger:
    image: jaegertracing/jaeger:2.13.0
    command: [--config=/etc/jaeger/config.yaml]
    user: "65534:65534"
    read_only: true
    mem_limit: 512m
    memswap_limit: 512m
    pids_limit: 512
    cpus: 0.5
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    restart: unless-stopped
    stop_grace_period: 1m30s
    ports: ["127.0.0.1:16686:16686"] # ui
    networks: [backend]
    tmpfs: [/tmp]
    environment:
      GOMEMLIMIT: 409MiB
      DEPLOYMENT_ENV: ${DEPLOYMENT_ENV:-production}
    labels:
      dev.loom.deploy.config-sha256: abc
    logging: {driver: json-file, options: {max-size: 10m}}
    volumes:
      - {type: bind, source: ./jaeger.yaml, target: /etc/jaeger/config.yaml, read_only: true}
      - {type: volume, source: jaeger-data, target: /badger}
    depends_on: [init]
"""


def held() -> dict[str, Any]:
    """What Docker says of the same container."""
    return {
        "Image": "sha256:1",
        "Config": {
            "Image": "jaegertracing/jaeger:2.13.0",
            "Cmd": ["--config=/etc/jaeger/config.yaml"],
            "Entrypoint": ["/cmd/jaeger"],
            "User": "65534:65534",
            "StopTimeout": 90,
            "Env": ["PATH=/bin", "GOMEMLIMIT=409MiB", "DEPLOYMENT_ENV=production"],
            "Labels": {"dev.loom.deploy.config-sha256": "abc", "com.docker.compose.project": "p"},
        },
        "HostConfig": {
            "Memory": 512 * 2**20,
            "MemorySwap": 512 * 2**20,
            "PidsLimit": 512,
            "NanoCpus": 500_000_000,
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
            "PortBindings": {"16686/tcp": [{"HostIp": "127.0.0.1", "HostPort": "16686"}]},
            "NetworkMode": "p_backend",
            "Tmpfs": {"/tmp": ""},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
        },
        "Mounts": [
            {"Type": "bind", "Destination": "/etc/jaeger/config.yaml", "RW": False},
            {"Type": "volume", "Destination": "/badger", "RW": True},
        ],
        "NetworkSettings": {"Networks": {"p_backend": {}}},
        "State": {"StartedAt": "2026-08-01T00:00:00.5Z"},
    }


IMAGE = {"Id": "sha256:1", "Config": {"Entrypoint": ["/cmd/jaeger"], "User": "10001", "Cmd": ["--other"]}}


def compared(document: dict[str, Any], text: str = COMPOSE) -> dict[str, Difference]:
    """Path → difference."""
    rendered = wanted(text, "p", {})["jaeger"]
    rendered = Program({**image(IMAGE, rendered.facts), **rendered.facts})
    return {one.path: one for one in differences("jaeger", "container", rendered, program(document))}


def test_a_container_that_is_as_it_was_rendered_has_no_difference() -> None:
    assert compared(held()) == {}
    assert program(held()).started > 0


@pytest.mark.parametrize(
    ("section", "key", "value", "path"),
    [
        ("HostConfig", "Memory", 2**30, "mem_limit"),
        ("HostConfig", "MemorySwap", -1, "memswap_limit"),
        ("HostConfig", "PidsLimit", None, "pids_limit"),
        ("HostConfig", "NanoCpus", 10**9, "cpus"),
        ("HostConfig", "ReadonlyRootfs", False, "read_only"),
        ("HostConfig", "CapDrop", None, "cap_drop"),
        ("HostConfig", "CapAdd", ["CAP_NET_ADMIN"], "cap_add"),
        ("HostConfig", "SecurityOpt", [], "security_opt"),
        ("HostConfig", "Privileged", True, "privileged"),
        ("HostConfig", "RestartPolicy", {"Name": "no"}, "restart"),
        ("HostConfig", "PortBindings", {"16686/tcp": [{"HostIp": "0.0.0.0", "HostPort": "1"}]}, "ports"),  # noqa: S104 - what must be found
        ("HostConfig", "Tmpfs", {}, "tmpfs"),
        ("Config", "User", "root", "user"),
        ("Config", "Image", "jaegertracing/jaeger:1", "image"),
        ("Config", "Cmd", ["--config=/elsewhere"], "--config"),
        ("Config", "Env", ["GOMEMLIMIT=1MiB", "DEPLOYMENT_ENV=production"], "environment GOMEMLIMIT"),
        ("Config", "StopTimeout", 10, "stop_grace_period"),
        ("Config", "Labels", {}, "label dev.loom.deploy.config-sha256"),
        ("Config", "Entrypoint", ["/bin/sh"], "entrypoint"),
        ("NetworkSettings", "Networks", {"p_backend": {}, "other": {}}, "networks"),
    ],
)
def test_each_fact_of_a_container_that_is_other_is_named(
    section: str, key: str, value: object, path: str
) -> None:
    document = held()
    document[section][key] = value
    found = compared(document)
    assert list(found) == [path]
    assert found[path].rendered != found[path].live


def test_a_mount_more_and_an_image_that_its_name_no_longer_stands_for_are_named() -> None:
    document = held()
    document["Mounts"].append({"Type": "bind", "Destination": "/var/run/docker.sock", "RW": True})
    document["Image"] = "sha256:0"
    assert list(compared(document)) == ["image id", "mounts"]


def test_what_the_image_brings_holds_where_the_file_says_nothing() -> None:
    service = yaml.safe_load(COMPOSE)
    del service["services"]["jaeger"]["user"], service["services"]["jaeger"]["command"]
    document = held()
    document["Config"] |= {"User": "10001", "Cmd": ["--other"]}
    assert compared(document, yaml.safe_dump(service)) == {}


def test_a_setting_that_nothing_compares_is_named() -> None:
    service = yaml.safe_load(COMPOSE)
    service["services"]["jaeger"]["ulimits"] = {"nofile": 1}
    assert unknown(yaml.safe_dump(service)) == {"jaeger": ["ulimits"]}


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_all_that_our_compose_files_say_is_compared(name: str) -> None:
    texts = {one.path: one.text for one in render(derive(load(name)))}
    assert unknown(texts["docker-compose.observability.yaml"]) == {}


@pytest.mark.parametrize(("text", "bytes_"), [("512m", 2**29), ("1.5GiB", 3 * 2**29), ("64k", 2**16), (7, 7)])
def test_sizes_of_compose_are_bytes(text: object, bytes_: int) -> None:
    assert size(text) == bytes_
