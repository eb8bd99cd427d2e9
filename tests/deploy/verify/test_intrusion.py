"""The attempts to come in: what is tried follows the edges, and a door that stands open is seen."""

import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan import derive
from loom.deploy.plan.identity import ADMIN
from loom.deploy.plan.model import Edge, Method, Network, Plan, Purpose, Service
from loom.deploy.profile import load
from loom.deploy.verify import Finding, Verdict
from loom.deploy.verify.intrusion import Ground, intrude
from loom.deploy.verify.intrusion.attempt import Attempt, doors, wrong
from loom.deploy.verify.intrusion.break_in import BETWEEN
from loom.deploy.verify.intrusion.knock import Hand, Request, knock

PASSWORD = "known-to-grafana-only"  # noqa: S105 - of this test
LOGIN = f"Basic {b64encode(f'admin:{PASSWORD}'.encode()).decode()}"

Authority = Callable[[str], Any]


class Handler(BaseHTTPRequestHandler):
    """Answers whoever knows the password."""

    wanted = ""

    def do_GET(self) -> None:
        self.send_response(200 if self.wanted in {"", self.headers["Authorization"]} else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None, port: int = 0, wanted: str = "") -> Iterator[int]:
    """A server on loopback; its port."""
    handler = type("Guarded", (Handler,), {"wanted": wanted})

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Who is refused is no error here."""

    server = Server(("127.0.0.1", port), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def server_context(home: Path, *, wants_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(home / "cert.pem", home / "key.pem")
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(home / "ca.pem")
    return context


def test_a_server_that_asks_for_no_certificate_lets_in_and_one_that_does_refuses(
    authority: Authority,
) -> None:
    home = authority("own").issue("server")
    hand = Hand(home / "ca.pem")
    with serving(server_context(home)) as port:
        assert knock(port, hand, Request()).let_in
    with serving(server_context(home, wants_certificate=True)) as port:
        refused = knock(port, hand, Request())
        assert not refused.let_in
        assert not refused.ours
        shown = replace(hand, certificate=home / "cert.pem", key=home / "key.pem")
        assert knock(port, shown, Request()).served


def test_old_tls_is_let_in_where_it_is_spoken(authority: Authority) -> None:
    home = authority("own").issue("server")
    hand = Hand(home / "ca.pem", newest=ssl.TLSVersion.TLSv1_2)
    context = server_context(home)
    with serving(context) as port:
        assert knock(port, hand, Request()).how == "alert protocol version"
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with serving(context) as port:
        assert knock(port, hand, Request()).let_in


def test_plain_text_is_let_in_where_it_is_spoken() -> None:
    with serving(None) as port:
        assert knock(port, Hand(None), Request()).let_in
        assert not knock(port, Hand(None), Request(rpc=True)).let_in


def test_what_fails_on_our_side_is_no_refusal(authority: Authority, tmp_path: Path) -> None:
    home, other = authority("own").issue("server"), authority("other").issue("client")
    with serving(server_context(home)) as port:
        assert knock(port, Hand(other / "ca.pem"), Request()).ours
        assert knock(port, Hand(tmp_path / "missing.pem"), Request()).ours


def test_a_new_edge_is_tried_by_itself() -> None:
    plan = derive(load("prod"))
    [before] = [door for door in doors(plan) if door.name == "jaeger:query_grpc"]
    edge = Edge(
        "stranger",
        Service.JAEGER,
        Purpose.QUERY_GRPC,
        "queries",
        encrypted=True,
        method=Method.TOKEN,
        network=Network.BACKEND,
    )
    [after] = [
        door for door in doors(replace(plan, edges=(*plan.edges, edge))) if door.name == "jaeger:query_grpc"
    ]
    assert Attempt.NO_CERTIFICATE in set(wrong(before, "1.3")), "nobody is meant to call, so nobody may"
    assert {Attempt.NO_TOKEN, Attempt.WRONG_TOKEN} <= set(wrong(after, "1.3"))


def test_every_port_of_prod_has_attempts_that_fit_each_of_its_edges() -> None:
    plan = derive(load("prod"))
    assert {door.port for door in doors(plan)} == set(plan.ports)
    assert {edge.name for door in doors(plan) for edge in door.edges} == {edge.name for edge in plan.edges}
    for door in doors(plan):
        assert {Attempt.PLAIN, Attempt.TLS_1_0, Attempt.TLS_1_2} < set(wrong(door, "1.3")) or door.bare
        assert Attempt.TLS_1_2 not in set(wrong(door, "1.2"))


@pytest.fixture
def grafana(tmp_path: Path, unused_port: int) -> Ground:
    """A ground of which only Grafana's port can be reached; it is ours to answer on."""
    plan = derive(load("prod", (f"ports.grafana={unused_port}",)))
    vault = Vault(tmp_path / "secrets")
    vault.folder.mkdir()
    create(plan, vault, Order())
    vault.file(Service.GRAFANA, ADMIN).write_text(PASSWORD)
    return Ground(plan, vault, lambda port: "" if port.service is Service.GRAFANA else "elsewhere")


@pytest.fixture
def unused_port() -> int:
    with serving(None) as port:
        return port


def tried(ground: Ground) -> dict[str, Finding]:
    return {one.name.rpartition(BETWEEN)[2]: one for one in intrude(ground) if one.detail != "elsewhere"}


def own_port(plan: Plan) -> int:
    return plan.port(Service.GRAFANA, Purpose.UI).native


def test_a_login_page_that_wants_the_password_is_good(grafana: Ground) -> None:
    home = grafana.vault.folder / Service.GRAFANA
    with serving(server_context(home), own_port(grafana.plan), LOGIN):
        found = tried(grafana)
    assert {name: one.verdict for name, one in found.items()} == dict.fromkeys(
        (
            Attempt.PLAIN,
            Attempt.TLS_1_0,
            Attempt.TLS_1_2,
            Attempt.NO_PASSWORD,
            Attempt.WRONG_PASSWORD,
            Attempt.RIGHT,
        ),
        Verdict.FOUND,
    )


def test_a_login_page_that_takes_anybody_is_wrong(grafana: Ground) -> None:
    home = grafana.vault.folder / Service.GRAFANA
    with serving(server_context(home), own_port(grafana.plan)):
        found = tried(grafana)
    wrongs = {name for name, one in found.items() if one.verdict is Verdict.WRONG}
    assert wrongs == {Attempt.NO_PASSWORD, Attempt.WRONG_PASSWORD}
    assert found[Attempt.NO_PASSWORD].detail == "let in: HTTP 200"


def test_a_port_of_the_graph_on_which_nobody_listens_is_missing(grafana: Ground) -> None:
    [found] = tried(grafana).values()
    assert (found.verdict, found.detail) == (Verdict.MISSING, "nobody listens")
