"""Prometheus servers on rendered files, and something for them to scrape."""

import json
import os
import ssl
import subprocess
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from socket import socket
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from loom.contract.federation import DEPLOYMENT_LABEL
from loom.contract.metric import Kind
from loom.contract.metrics import ALL
from loom.contract.naming import Naming
from loom.contract.resource import ENVIRONMENT_LABEL, INSTANCE, JOB
from loom.deploy.artifacts import prometheus, rules, supervisor
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.programs import PROMETHEUS
from loom.deploy.toolchain import require
from tests.waiting import until

Samples = dict[str, set[tuple[float, str]]]


class Exporter(BaseHTTPRequestHandler):
    """Every metric of the contract, growing with each scrape, each bucket with an exemplar."""

    scrapes = count(1)

    def do_GET(self) -> None:
        body = exposition(next(self.scrapes)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # whoever asked was killed
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def exposition(number: int) -> str:
    lines = []
    for metric in ALL:
        name, histogram = Naming().base(metric), metric.kind is Kind.HISTOGRAM
        own = {one.label: one.values[0] if one.values else "x" for one in metric.attributes}
        labels = {**own, JOB: "probe", INSTANCE: "probe-1", ENVIRONMENT_LABEL: "staging"}
        text = ",".join(f'{key}="{value}"' for key, value in labels.items())
        lines.append(f"# TYPE {name} {'histogram' if histogram else 'unknown'}")
        if not histogram:
            lines.append(f"{name}{{{text}}} {number}")
            continue
        trace = f'# {{trace_id="{number:032x}"}} 0.0001'
        bounds = [*map(str, metric.boundaries), "+Inf"]
        lines += [f'{name}_bucket{{{text},le="{bound}"}} {number} {trace}' for bound in bounds]
        lines += [f"{name}_sum{{{text}}} {number}", f"{name}_count{{{text}}} {number}"]
    return "\n".join([*lines, "# EOF", ""])


@dataclass
class Server:
    """A Prometheus on the files that a profile renders for the native engine."""

    plan: Plan
    rendered: Path
    vault: Vault
    more: tuple[str, ...] = ()
    """Flags besides those that are rendered."""
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        for artifact in (*prometheus.artifacts(self.plan), *rules.artifacts(self.plan)):
            (self.rendered / artifact.path).parent.mkdir(parents=True, exist_ok=True)
            (self.rendered / artifact.path).write_text(artifact.text)
        here, data = str(self.rendered / "native"), str(self.rendered / "data")
        words = next(one for one in supervisor.processes(self.plan) if one.service is Service.PROMETHEUS)
        arguments = [word.replace("%(here)s", here) for word in words.arguments]
        arguments = [word.replace(f"%(ENV_{supervisor.DATA})s", data) for word in arguments]
        with (self.rendered / "log").open("ab") as log:
            program = require(PROMETHEUS)[PROMETHEUS.name]
            command = [str(program), *arguments, *self.more]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))
        until(lambda: self.get("/-/ready"), f"{self.plan.profile.name} is ready")

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def get(self, path: str) -> bytes:
        url = f"{self.plan.reached(Service.PROMETHEUS, Purpose.UI)}{path}"
        request, context = Request(url), None  # noqa: S310 - loopback
        if url.startswith("https"):
            word = self.vault.file("operator", "password").read_text()
            request.add_header("Authorization", f"Basic {b64encode(f'operator:{word}'.encode()).decode()}")
            context = ssl.create_default_context(cafile=str(self.vault.file("operator", "ca.pem")))
        try:
            with urlopen(request, timeout=60, context=context) as answer:  # noqa: S310 - loopback
                found: bytes = answer.read()
                return found
        except (URLError, OSError):
            return b""

    def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        text = self.get(f"/api/v1/{path}?{urlencode(parameters)}")
        return json.loads(text)["data"] if text else []

    def samples(self, selector: str) -> Samples:
        """Series without the deployment → all its samples of a quarter of an hour."""
        found = self.ask("query", query=f"{selector}[15m]")
        return {
            identity(one["metric"]): {(at, value) for at, value in one["values"]}
            for one in (found["result"] if found else [])
        }

    def newest(self, series: str) -> float:
        """Its value now; 0 while it has none, as after a scrape that failed."""
        found = self.ask("query", query=series)
        return max((float(one["value"][1]) for one in (found["result"] if found else [])), default=0.0)

    def names(self, selector: str) -> set[str]:
        return {one["__name__"] for one in self.ask("series", **{"match[]": selector})}

    def exemplars(self, series: str) -> set[str]:
        now = time.time()
        found = self.ask("query_exemplars", query=series, start=f"{now - 900}", end=f"{now + 60}")
        return {one["labels"]["trace_id"] for group in found for one in group["exemplars"]}


def identity(labels: dict[str, str]) -> str:
    """Of a series wherever it is: external labels are on it elsewhere only."""
    external = {DEPLOYMENT_LABEL, *([ENVIRONMENT_LABEL] if labels.get(JOB) != "probe" else [])}
    return json.dumps({key: value for key, value in labels.items() if key not in external}, sort_keys=True)


def port() -> int:
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
        return number
