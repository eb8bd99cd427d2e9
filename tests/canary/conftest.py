"""A little stack of the real programs over mutual TLS, and what to ask it with."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from pathlib import Path
from socket import create_connection, socket
from threading import Event
from typing import Any

import bcrypt
import pytest
import yaml

from loom.contract import canary, foreign
from loom.deploy.programs import JAEGER, OTELCOL, PROMETHEUS
from loom.deploy.toolchain import require

PASSWORD, TOKEN = "hunter2-password", "hunter3-token"
PARTIES = ("collector", "jaeger", "prometheus", "canary", "loom")
_LISTENERS = ("otlp", "exporter", "store", "query", "prometheus", "canary")
_SECONDS = 240


def settled(condition: Callable[[], bool]) -> bool:
    """Whether it comes true in time, asked a few times a second."""
    pause = Event()
    return any(condition() or pause.wait(0.1) for _ in range(_SECONDS * 10))


@pytest.fixture(name="settled")
def _settled() -> Callable[[Callable[[], bool]], bool]:
    return settled


@dataclass
class Stack:
    """Its folders, its ports, its programs."""

    folder: Path
    issuer: Any
    homes: dict[str, Path]
    ports: dict[str, int]
    stack: ExitStack
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def home(self, party: str) -> Path:
        """Where its credentials are."""
        return self.homes[party]

    def start(self, program: Any, *arguments: str) -> None:  # noqa: ANN401 - a Program, whose module is late
        """From the toolchain, ended with the test."""
        self.run(program.name, [str(require(program)[program.name]), *arguments])

    def run(self, name: str, command: list[str], environ: dict[str, str] | None = None) -> None:
        """Any program; its log is `<name>.log`."""
        log = self.stack.enter_context((self.folder / f"{name}.log").open("wb"))
        process = self.stack.enter_context(
            subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=environ)
        )
        self.stack.callback(process.kill)
        self.running[name] = process

    def stop(self, name: str) -> None:
        """At once."""
        self.running[name].kill()
        self.running[name].wait(10)

    def log(self, name: str) -> str:
        """All it wrote."""
        return (self.folder / f"{name}.log").read_text()

    def listens(self, listener: str) -> bool:
        """Whether somebody takes connections there."""
        try:
            create_connection(("127.0.0.1", self.ports[listener]), 1).close()
        except OSError:
            return False
        return True

    def context(self, party: str) -> ssl.SSLContext:
        """A client's, with that party's credentials."""
        home = self.home(party)
        made = ssl.create_default_context(cafile=home / "ca.pem")
        made.load_cert_chain(home / "cert.pem", home / "key.pem")
        return made

    def fetch(self, listener: str, path: str, context: ssl.SSLContext, **headers: str) -> str:
        """The body of an answer; OSError when there is none."""
        connection = HTTPSConnection("localhost", self.ports[listener], timeout=60, context=context)
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def exported(self) -> dict[str, float]:
        """Series of the canary's own port → value; empty while it does not answer."""
        try:
            text = self.fetch("canary", "/metrics", self.context("prometheus"))
        except OSError:
            return {}
        pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {series: float(value) for series, _, value in pairs}


@pytest.fixture
def stack(tmp_path: Path, authority: Callable[[str], Any]) -> Iterator[Stack]:
    """Collector, Jaeger and Prometheus, all of them ready."""
    issuer = authority("authority")
    homes = {party: issuer.issue(party) for party in PARTIES}
    for party, name, content in (("canary", "password", PASSWORD), ("canary", "token", TOKEN)):
        (homes[party] / name).write_text(f"{content}\n")
    with ExitStack() as sockets:
        taken = [sockets.enter_context(socket()) for _ in _LISTENERS]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        ports = {name: one.getsockname()[1] for name, one in zip(_LISTENERS, taken, strict=True)}
    with ExitStack() as processes:
        made = Stack(tmp_path, issuer, homes, ports, processes)
        _configure(made)
        made.start(OTELCOL, "--config", "collector.yaml")
        made.start(JAEGER, "--config", "jaeger.yaml")
        made.start(
            PROMETHEUS,
            "--config.file=prometheus.yml",
            "--web.config.file=web.yml",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
        )
        for listener in set(_LISTENERS) - {"canary"}:
            assert settled(lambda listener=listener: made.listens(listener)), f"nothing listens: {listener}"  # type: ignore[misc] # mypy has no type for the default
        yield made


def _configure(stack: Stack) -> None:
    files = {
        "collector.yaml": _collector(stack),
        "jaeger.yaml": _jaeger(stack),
        "prometheus.yml": _prometheus(stack),
        "web.yml": _web(stack),
    }
    for name, content in files.items():
        (stack.folder / name).write_text(yaml.safe_dump(content))


def _server(stack: Stack, party: str) -> dict[str, Any]:
    home = stack.home(party)
    return {
        "cert_file": str(home / "cert.pem"),
        "key_file": str(home / "key.pem"),
        "client_ca_file": str(home / "ca.pem"),
        "min_version": "1.3",
        "reload_interval": "100ms",
    }


def _collector(stack: Stack) -> dict[str, Any]:
    home, server = stack.home("collector"), _server(stack, "collector")
    client = {"ca_file": str(home / "ca.pem"), **{key: server[key] for key in ("cert_file", "key_file")}}
    otlp = {"endpoint": f"127.0.0.1:{stack.ports['otlp']}", "tls": server}
    otlp["auth"] = {"authenticator": "bearertokenauth"}
    return {
        "extensions": {"bearertokenauth": {"filename": str(stack.home("canary") / "token")}},
        "receivers": {"otlp": {"protocols": {"grpc": otlp}}},
        "exporters": {
            "otlp_grpc": {"endpoint": f"localhost:{stack.ports['store']}", "tls": client},
            "prometheus": {
                "endpoint": f"127.0.0.1:{stack.ports['exporter']}",
                "tls": server,
                "translation_strategy": "UnderscoreEscapingWithoutSuffixes",
                "without_scope_info": True,
            },
        },
        "service": {
            "extensions": ["bearertokenauth"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                "traces": {"receivers": ["otlp"], "exporters": ["otlp_grpc"]},
                "metrics": {"receivers": ["otlp"], "exporters": ["prometheus"]},
            },
        },
    }


def _jaeger(stack: Stack) -> dict[str, Any]:
    server = _server(stack, "jaeger")
    own = {"endpoint": "127.0.0.1:0", "tls": server}
    return {
        "extensions": {
            "jaeger_query": {
                "storage": {"traces": "main"},
                "http": {"endpoint": f"127.0.0.1:{stack.ports['query']}", "tls": server},
                "grpc": own,
            },
            "jaeger_storage": {"backends": {"main": {"memory": {"max_traces": 1000}}}},
        },
        "receivers": {
            "otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{stack.ports['store']}", "tls": server}}}
        },
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "main"}},
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
        },
    }


def _prometheus(stack: Stack) -> dict[str, Any]:
    home = stack.home("prometheus")
    tls = {
        "ca_file": str(home / "ca.pem"),
        "cert_file": str(home / "cert.pem"),
        "key_file": str(home / "key.pem"),
    }

    def job(name: str, listener: str) -> dict[str, Any]:
        targets = [{"targets": [f"localhost:{stack.ports[listener]}"]}]
        return {
            "job_name": name,
            "scheme": "https",
            "tls_config": tls,
            "honor_labels": listener == "exporter",
            "static_configs": targets,
        }

    return {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [job("exporter", "exporter"), job(foreign.JOB_CANARY, "canary")],
    }


def _web(stack: Stack) -> dict[str, Any]:
    home = stack.home("prometheus")
    kept = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    return {
        "tls_server_config": {"cert_file": str(home / "cert.pem"), "key_file": str(home / "key.pem")},
        "basic_auth_users": {canary.USER: kept},
    }
