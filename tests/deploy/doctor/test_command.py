"""The command, and the real seams where no program of a stack is needed."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loom.cli.doctor import command
from loom.deploy.credentials import password
from loom.deploy.credentials.access import Access
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.keeping import initialise
from loom.deploy.credentials.vault import prepare
from loom.deploy.doctor import CHECKS, Internet, LocalMachine
from loom.deploy.doctor.evidence import Credentials
from loom.deploy.doctor.papers import Papers
from loom.deploy.plan import derive
from loom.deploy.profile import load
from loom.errors import EngineError, FindingError, Problem

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"


class Page(BaseHTTPRequestHandler):
    """Answers every GET with the same page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"data": []}')


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a small HTTP server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as running:
        threading.Thread(target=running.serve_forever, args=(0.05,)).start()
        yield running.server_port
        running.shutdown()


def doctor(state: Path, *arguments: str) -> Result:
    gone: dict[str, str | None] = {name: None for name in os.environ if name.startswith("OTEL_")}
    return CliRunner().invoke(command, arguments, env={**gone, "XDG_STATE_HOME": str(state)})


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("prometeus=http://x", "is no endpoint: one of otlp"),
        ("jaeger", "has no address"),
        ("jaeger=", "has no address"),
        ("jaeger=http://[", "has no address"),
        ("jaeger=localhost:http", "has no address"),
    ],
)
def test_an_endpoint_that_is_none_is_wrong_usage(tmp_path: Path, endpoint: str, says: str) -> None:
    result = doctor(tmp_path, "--endpoint", endpoint)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_name_that_is_not_up_is_an_error_and_not_a_diagnosis(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--name", "nobody")
    assert isinstance(result.exception, EngineError)


def test_a_stack_that_is_not_there_is_one_cause_with_a_remedy(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--endpoint", "prometheus=127.0.0.1:1")
    assert isinstance(result.exception, FindingError)
    lines = result.stdout.splitlines()
    assert lines[0] == "first cause: stack"
    assert "docker compose" in next(line for line in lines if line.startswith("  do "))
    assert "prometheus-answers" in next(line for line in lines if line.startswith("  explains "))
    assert (
        "  see        the observability document, No Traces in Jaeger, 2: the collector is running" in lines
    )
    # What to do was said once.
    assert result.exception.problems == (Problem("stack is broken"),)


def test_json_has_every_check_and_a_stable_verdict(tmp_path: Path) -> None:
    found = json.loads(doctor(tmp_path, "--endpoint", "jaeger=127.0.0.1:1", "--json").stdout)
    assert [check["name"] for check in found["checks"]] == [check.name for check in CHECKS]
    assert found["first_cause"] == "stack"
    allowed = {"ok", "warning", "broken", "cannot tell", "not applicable"}
    assert {check["verdict"] for check in found["checks"]} <= allowed


def test_all_shows_what_is_well_too(tmp_path: Path, server: int) -> None:
    result = doctor(tmp_path, "--endpoint", f"alertmanager=127.0.0.1:{server}", "--all")
    assert result.exit_code == 0, result.stdout
    assert re.search(r"^ok +alertmanager-answers", result.stdout, re.MULTILINE)
    assert re.search(r"^not applicable +jaeger-answers", result.stdout, re.MULTILINE)


def test_the_last_line_counts_every_check_by_its_verdict(tmp_path: Path) -> None:
    arguments = ("--endpoint", "prometheus=127.0.0.1:1")
    verdicts = [
        check["verdict"] for check in json.loads(doctor(tmp_path, *arguments, "--json").stdout)["checks"]
    ]
    words = {"ok": "checks ok", "warning": "with a warning"}
    said = doctor(tmp_path, *arguments).stdout.splitlines()[-1].removeprefix("healthy: ").split(", ")
    assert sorted(said) == sorted(
        f"{verdicts.count(verdict)} {words.get(verdict, verdict)}" for verdict in set(verdicts)
    )


def test_a_single_file_is_enough_to_be_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "otel-collector-config.yaml"
    file.write_text("exporters: {logging: {}}\n")
    arguments = ("--endpoint", "prometheus=127.0.0.1:1", "--config", str(file))
    assert doctor(tmp_path, *arguments).stdout.startswith("first cause: collector-components")


def test_the_command_is_loaded_without_what_only_questions_need() -> None:
    heavy = (
        "mcp",
        "opentelemetry",
        "docker",
        "rich",
        "starlette",
        "grpc",
        "cryptography",
        "httpx2",
        "yaml",
        "psutil",
    )
    script = f"import sys, loom.cli.doctor\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_network_says_what_is_wrong_and_never_raises(server: int) -> None:
    network = Internet()
    assert network.get(f"http://127.0.0.1:{server}/").good
    assert "refused" in network.get("http://127.0.0.1:1/").error
    assert "refused" in network.connect("127.0.0.1", 1)
    assert network.connect("127.0.0.1", server) == ""
    assert network.resolve("localhost") == ""
    assert network.resolve("nobody.invalid")
    assert "UNAVAILABLE" in network.export(f"http://127.0.0.1:{server}", "grpc", Papers())
    assert "HTTP 501" in network.export(f"http://127.0.0.1:{server}", "http/protobuf", Papers())
    assert network.certificate("127.0.0.1", server).error


def test_a_password_in_an_endpoint_is_used_and_never_shown(server: int) -> None:
    answer = Internet().get(f"http://admin:secret@127.0.0.1:{server}/")
    assert answer.good
    assert "secret" not in answer.said


@pytest.fixture
def locked(authority: Callable[[str], Any]) -> Iterator[tuple[str, Path, list[str | None]]]:
    """A server that asks for a certificate: its address, whose files it takes, what it was told."""
    issuer, told = authority("ours"), list[str | None]()

    class Told(Page):
        def do_GET(self) -> None:
            told.append(self.headers["Authorization"])
            super().do_GET()

    home = issuer.issue("server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=home / "ca.pem")
    context.load_cert_chain(home / "cert.pem", home / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    operator = issuer.issue("operator")
    (operator / "password").write_text("hush\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), Told) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        threading.Thread(target=running.serve_forever, args=(0.05,)).start()
        yield f"https://127.0.0.1:{running.server_port}", operator, told
        running.shutdown()


def test_a_protected_port_is_shown_the_certificate_and_only_one_that_asks_for_it_the_password(
    locked: tuple[str, Path, list[str | None]],
) -> None:
    url, folder, told = locked
    for asks, header in ((True, f"Basic {b64encode(b'operator:hush').decode()}"), (False, None)):
        network = Internet(Access(folder), {url: asks})
        assert network.get(f"{url}/page").good
        assert network.get(f"{url.replace('127.0.0.1', 'localhost')}/page").good
        assert told == [header, header]
        told.clear()
        port = int(url.rpartition(":")[2])
        assert network.certificate("127.0.0.1", port).expires > time.time()


def test_whoever_is_not_of_the_deployment_is_shown_nothing_of_it(
    locked: tuple[str, Path, list[str | None]], server: int
) -> None:
    url, folder, told = locked
    network = Internet(Access(folder), {"https://127.0.0.1:1": True})
    assert "certificate" in network.get(f"{url}/page").error
    assert network.get(f"http://127.0.0.1:{server}/").good
    assert told == []


def test_certificates_that_are_not_there_are_part_of_the_answer(
    locked: tuple[str, Path, list[str | None]],
) -> None:
    url, folder, _ = locked
    (folder / "key.pem").unlink()
    network = Internet(Access(folder), {url: True})
    assert "no certificates to show" in network.get(url).error
    assert network.certificate("127.0.0.1", int(url.rpartition(":")[2])).error


def test_a_file_that_an_export_needs_and_that_is_not_there_is_named(
    locked: tuple[str, Path, list[str | None]], tmp_path: Path
) -> None:
    url, folder, _ = locked
    gone = str(tmp_path / "gone.pem")
    for papers in (Papers(authority=gone), Papers(str(folder / "ca.pem"), gone, gone), Papers(token=gone)):
        for protocol in ("grpc", "http/protobuf"):
            assert Internet().export(url, protocol, papers) == f"{gone}: no such file or directory"
    good = Papers(*(str(folder / file) for file in ("ca.pem", "cert.pem", "key.pem")))
    assert "HTTP 501" in Internet().export(url, "http/protobuf", good)  # it got in, and speaks no OTLP


def test_the_machine_knows_who_listens_and_who_is_connected(server: int) -> None:
    machine = LocalMachine()
    assert machine.listeners()[server] == os.getpid()
    assert f"pid {os.getpid()}" in machine.who(server)
    script = f"""import socket, sys
held = socket.create_connection(("127.0.0.1", {server}))
print("connected", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert [sender.pid for sender in machine.senders(server)] == [process.pid]
        process.communicate(b"")


def test_the_machine_reads_configuration_and_disks_and_shrugs_at_what_is_not_there(tmp_path: Path) -> None:
    machine = LocalMachine()
    (tmp_path / "a.yaml").write_text("x: 1\n")
    (tmp_path / "b.bin").write_bytes(b"\0")
    assert dict(machine.files(tmp_path)) == {"a.yaml": "x: 1\n"}
    disk = machine.disk(tmp_path)
    assert disk is not None
    assert 0 < disk.free <= disk.total
    assert machine.disk(tmp_path / "nowhere") is None
    assert machine.resident(os.getpid()) > 1_000_000
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        assert free.getsockname()[1] not in machine.listeners()


def test_the_machine_reads_how_credentials_stand_and_says_nothing_of_their_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password, "ROUNDS", 4)
    plan, machine = derive(load("prod")), LocalMachine()
    assert machine.credentials(derive(load("dev")), tmp_path) == Credentials()
    (none,) = machine.credentials(plan, tmp_path).wrong
    assert "there are no credentials" in none.message
    made = prepare(tmp_path)
    create(plan, made, Order())
    initialise(plan, made)
    assert machine.credentials(plan, tmp_path) == Credentials()
    (made.folder / "prometheus" / "password").unlink()
    wrong = machine.credentials(plan, tmp_path).wrong
    assert any(problem.file.endswith("prometheus/password") for problem in wrong)
    assert any("does not know" in problem.message or "missing" in problem.message for problem in wrong)


def test_the_page_lists_every_check_with_the_step_it_stands_for() -> None:
    head = "| check | should be | step of the observability document |\n|---|---|---|\n"
    rows = "".join(f"| `{check.name}` | {check.title} | {check.step} |\n" for check in CHECKS)
    before, title, _ = PAGE.read_text().partition("## Every check\n\n")
    if os.environ.get("LOOM_WRITE_DOCS"):
        PAGE.write_text(f"{before}{title or '## Every check' + chr(10) * 2}{head}{rows}")
    assert PAGE.read_text().endswith(head + rows)
