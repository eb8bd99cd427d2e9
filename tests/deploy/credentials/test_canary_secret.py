"""A planted secret is found nowhere: no file, log, argument, metric or trace, and nothing we print."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from loom.contract import environment
from loom.deploy import api
from loom.deploy.credentials.access import Access
from loom.deploy.credentials.keeping import put
from loom.deploy.credentials.vault import prepare
from loom.deploy.engine import Home
from loom.deploy.engine.processes import free, own
from loom.deploy.plan.identity import Kind, secrets
from loom.deploy.plan.model import Plan, Purpose, Service
from tests.deploy.credentials.search import Leak, Search, needles
from tests.smoke.engines import deploy
from tests.waiting import until

NAME = "leak"
PROFILE = """
extends: prod
name: leak
alerting:
  receivers: [{name: chat, url_secret: chat_url}]
  heartbeat: {url_secret: heartbeat_url, interval: 1m}
"""


@dataclass
class Site:
    """A deployment of production whose secrets are all known."""

    state: Path
    profile: Path
    plan: Plan
    offset: int

    @property
    def home(self) -> Home:
        return Home.of(NAME, {"XDG_STATE_HOME": str(self.state)})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return deploy(self.state, *arguments)

    @property
    def chosen(self) -> tuple[str, ...]:
        return "--profile", str(self.profile), "--set", f"ports.offset={self.offset}"

    def processes(self) -> list[psutil.Process]:
        """All that belongs to the deployment."""
        return own(self.home)

    def get(self, url: str) -> bytes:
        """What a program answers the operator; its refusal too, empty when it does not speak HTTP."""
        shown = Access(self.home.secrets / "operator")
        request = urllib.request.Request(url, headers=shown.headers())  # noqa: S310 - of our own making
        try:
            context = shown.context() if url.startswith("https") else None
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:  # noqa: S310 - the same
                return bytes(answer.read())
        except urllib.error.HTTPError as refusal:
            return refusal.read()
        except OSError:
            return b""


def test_the_search_finds_what_is_planted_in_every_kind_of_place(tmp_path: Path) -> None:
    vault = tmp_path / "secrets"
    (vault / "grafana").mkdir(parents=True)
    (vault / "grafana" / "password").write_text("canary/canary-canary")
    (vault / "grafana" / "key.pem").write_text(
        f"-----BEGIN PRIVATE KEY-----\n{'k' * 64}\n-----END PRIVATE KEY-----\n"
    )
    (vault / "users").write_text(f"grafana $2b$10${'h' * 53}\n")
    search = Search(needles(vault))
    with (tmp_path / "log").open("wb") as log:  # with holes before and behind, as a store's file has them
        log.seek(1 << 32)
        log.write(b"Authorization: Basic Z3JhZmFuYTpjYW5hcnkvY2FuYXJ5LWNhbmFyeQ==")
        log.truncate(1 << 33)
    (tmp_path / "canary%2Fcanary-canary").write_text(f"x{'k' * 64}x\n$2b$10${'h' * 53}")
    search.files(tmp_path, vault)
    asleep = [sys.executable, "-c", "input()", "canary/canary-canary"]
    with subprocess.Popen(asleep, stdin=subprocess.PIPE, env={"TOKEN": "canary/canary-canary"}) as process:
        started = psutil.Process(process.pid)
        until(lambda: started.cmdline() and started.environ())  # both are empty for a moment after exec
        search.processes([started])
        process.communicate(b"\n")
    kinds = {(leak.secret, leak.place.partition(":")[0]) for leak in search.leaks}
    assert kinds == {
        ("grafana/password as basic authentication", "file"),
        ("grafana/password in a URL", "file name"),
        ("grafana/key.pem line 0", "file"),
        ("secrets/users hash 0", "file"),
        ("grafana/password", "arguments"),
        ("grafana/password", "environment"),
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Up natively, with telemetry in it, and with secrets that point nowhere, so that using them fails."""
    state = tmp_path_factory.mktemp("state")
    profile = state / "leak.yaml"
    profile.write_text(PROFILE)
    for offset in range(13_000 + os.getpid() % 100, 15_900, 107):
        plan = api.load_plan(profile, (f"ports.offset={offset}",))
        if all(free(port.native) for port in plan.ports):
            break
    else:
        pytest.fail("no free ports")
    site = Site(state, profile, plan, offset)
    vault = prepare(site.home.rendered)
    for one in secrets(plan):
        if one.kind is Kind.GIVEN:
            put(plan, vault, one.holder, one.file, f"http://127.0.0.1:1/canary-of-{one.file}-0123456789")
    made = [
        site.run(group, what, "--name", NAME, *site.chosen)
        for group, what in (("certs", "create"), ("secrets", "init"))
    ]
    assert [done.stderr for done in made if done.returncode] == []
    try:
        done = site.run("up", "--engine", "native", "--name", NAME, *site.chosen)
        assert done.returncode == 0, done.stderr
        _example(site)
        yield site
    finally:
        site.run("down", "--name", NAME, "--volumes")


def _example(site: Site) -> None:
    """Telemetry of every kind, through mutual TLS."""
    own = site.home.secrets / "loom"
    port = site.plan.port(Service.COLLECTOR, Purpose.OTLP_GRPC).native
    told = {
        environment.ENDPOINT.name: f"https://127.0.0.1:{port}",
        environment.SERVICE_NAME.name: "leak",
        environment.SAMPLER.name: "always_on",
        environment.CERTIFICATE.name: str(own / "ca.pem"),
        environment.CLIENT_CERTIFICATE.name: str(own / "cert.pem"),
        environment.CLIENT_KEY.name: str(own / "key.pem"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "loom.examples.bus_and_broker"],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def search(site: Site) -> Search:
    return Search(needles(site.home.secrets))


def found(search: Search) -> list[Leak]:
    return sorted(search.leaks, key=str)


@pytest.mark.smoke
@pytest.mark.slow
def test_there_is_much_to_look_for(search: Search, site: Site) -> None:
    names = {needle.name.split()[0] for needle in search.wanted}
    assert {f"{one.holder}/{one.file}" for one in secrets(site.plan)} <= names
    assert {"authority/key.pem", "loom/key.pem", "operator/key.pem"} <= names


@pytest.mark.smoke
@pytest.mark.slow
def test_no_process_shows_a_secret_in_its_arguments_or_environment(search: Search, site: Site) -> None:
    processes = site.processes()
    assert len(processes) >= 6
    search.processes(processes)
    assert found(search) == []
    assert search.looked["environment"] > 0


@pytest.mark.smoke
@pytest.mark.slow
def test_no_program_answers_with_a_secret(search: Search, site: Site) -> None:
    """Metrics, configuration and status of every port, and all that the stores hold."""
    paths = ["/metrics", "/status", "/debug/vars", "/debug/pprof/cmdline", "/config/", "/debug/servicez"]
    asked = [f"{port.service}:{port.native}{path}" for port in site.plan.ports for path in paths]
    asked += [f"{Service.PROMETHEUS}:{_port(site, Service.PROMETHEUS)}{path}" for path in _PROMETHEUS]
    asked += [f"{Service.ALERTMANAGER}:{_port(site, Service.ALERTMANAGER)}{path}" for path in _ALERTMANAGER]
    asked += [f"{Service.PROXY}:{_port(site, Service.PROXY)}{path}" for path in _JAEGER]
    answered = set()
    for one in asked:
        service, _, rest = one.partition(":")
        for scheme in ("https", "http"):
            answer = site.get(f"{scheme}://127.0.0.1:{rest}")
            search.text("answer", one, answer)
            answered |= {service} if answer else set()
    assert found(search) == []
    assert answered >= {"otel-collector", "jaeger", "prometheus", "alertmanager", "proxy", "canary"}
    assert search.looked["answer"] > 100_000


def _port(site: Site, service: Service) -> int:
    return site.plan.port(service, Purpose.UI).native


_PROMETHEUS = (
    "/api/v1/status/config",
    "/api/v1/status/flags",
    "/api/v1/status/runtimeinfo",
    "/api/v1/status/tsdb",
    "/api/v1/targets",
    "/api/v1/rules",
    "/api/v1/alerts",
    "/api/v1/alertmanagers",
    "/api/v1/series?match[]=%7B__name__%3D~%22.%2B%22%7D",
    "/api/v1/query_exemplars?query=%7B__name__%3D~%22.%2B%22%7D&start=0&end=9999999999",
)
_ALERTMANAGER = ("/api/v2/status", "/api/v2/alerts", "/api/v2/receivers")
_JAEGER = (
    "/api/services",
    "/api/traces?service=leak&limit=1000",
    "/api/traces?service=jaeger&limit=1000",
    "/api/operations?service=leak",
)


@pytest.mark.smoke
@pytest.mark.slow
def test_no_command_prints_a_secret_also_when_it_fails(search: Search, site: Site, tmp_path: Path) -> None:
    name = ("--name", NAME)
    both = (*name, *site.chosen)
    for arguments in (
        ("status", *name),
        ("logs", *name),
        ("verify", *name, "--timeout", "1"),
        ("verify", *name, "--json", "--timeout", "1"),
        ("doctor", *name),
        ("trace", *name),
        ("plan", *site.chosen, "--json"),
        ("render", *site.chosen, "--output", str(tmp_path / "rendered")),
        ("certs", "check", *both, "--json"),
        ("certs", "create", *both),
        ("secrets", "check", *both),
        ("secrets", "init", *both),
        ("diff", "--live", *name),
    ):
        _listen(search, site, *arguments)
    for broken, commands in _BROKEN.items():
        _with_broken(search, site, broken, commands)
    assert found(search) == []
    assert search.looked["output"] > 5_000


@pytest.mark.smoke
@pytest.mark.slow
def test_no_file_of_the_deployment_holds_a_secret(search: Search, site: Site) -> None:
    """Rendered files, logs, the record, and the programs' data."""
    log = site.home.run / "alertmanager.log"
    # The heartbeat's address leads nowhere: Alertmanager says so, and must not say where that is.
    until(lambda: b"notify" in log.read_bytes().lower())
    search.files(site.home.root, site.home.secrets)
    assert found(search) == []
    assert search.looked["file"] > 100_000


def _listen(search: Search, site: Site, *arguments: str) -> None:
    done = site.run(*arguments)
    assert "Traceback" not in done.stderr, (arguments, done.stderr[-2000:])
    search.text("output", " ".join(arguments), done.stdout + done.stderr)


_BROKEN = {
    "password": (("verify", "--timeout", "1"), ("doctor",)),
    "key.pem": (("trace",), ("certs", "check", "--profile")),
    "ca.pem": (("status",), ("secrets", "check", "--profile")),
}
"""File of the operator's that is wrong -> commands that are tried with it."""


def _with_broken(search: Search, site: Site, file: str, commands: tuple[tuple[str, ...], ...]) -> None:
    """Commands whose credentials are wrong: what was wrong is a secret too."""
    place = site.home.secrets / "operator" / file
    right = place.read_bytes()
    place.write_bytes(b"hush" + right[:-8][::-1])
    search.wanted += [one for one in needles(site.home.secrets) if one not in search.wanted]
    try:
        for arguments in commands:
            chosen = (str(site.profile),) if arguments[-1] == "--profile" else ()
            _listen(search, site, *arguments, *chosen, "--name", NAME)
    finally:
        place.write_bytes(right)
