"""What the canary tells, to whom, and which certificates it sees."""

import datetime as dt
import ssl
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from loom.canary.certificates import Look, looks
from loom.canary.endpoint import listening
from loom.canary.exposition import MEDIA_TYPE, expose
from loom.canary.folder import Folder
from loom.canary.record import Record
from loom.canary.settings import Address, Settings, from_environ
from loom.contract import canary, metrics, scopes, spans
from loom.errors import MachineError

ANYWHERE = Address("127.0.0.1", 0)
Authority = Callable[[str], Any]


def exported(record: Record) -> dict[str, str]:
    lines = (line for line in expose(record).splitlines() if not line.startswith("#"))
    return dict(line.rsplit(" ", 1) for line in lines)


def series(name: str, **labels: str) -> str:
    return f"{name}{{{','.join(f'{label}={chr(34)}{value}{chr(34)}' for label, value in labels.items())}}}"


def test_before_the_first_arrival_there_is_neither_its_time_nor_a_round_trip() -> None:
    found = exported(Record())
    for signal in canary.SIGNALS:
        assert found[series(canary.ATTEMPTS.name, signal=signal)] == "0"
        for absent in (canary.LAST_SUCCESS, canary.ROUND_TRIP):
            assert series(absent.name, signal=signal) not in found


def test_it_exports_exactly_the_contracts_series_with_their_labels() -> None:
    record = Record()
    record.know([Look("own", 1.0, port=False), Look("jaeger", None, port=True)])
    for standing in record.standings.values():
        standing.round_trip, standing.last_success = 1.5, 3.0
    names = {one.partition("{")[0] for one in exported(record)}
    assert names == {one.name for one in canary.ALL}
    labels = {one.name: set(one.labels) - {"job", "instance"} for one in canary.ALL}
    for one in exported(record):
        name, _, inner = one.rstrip("}").partition("{")
        assert {pair.partition("=")[0] for pair in inner.split(",")} == labels[name]


def test_each_signal_takes_at_most_five_series() -> None:
    record = Record()
    standing = record.standings["traces"]
    standing.round_trip, standing.last_success = 1.0, 3.0
    assert len([one for one in exported(record) if 'signal="traces"' in one]) <= 5


def test_a_name_cannot_break_the_text() -> None:
    record = Record()
    record.know([Look('a"b\\c\nd', 1.0, port=False)])
    assert f'{canary.CERTIFICATE_EXPIRY.name}{{identity="a\\"b\\\\c\\nd"}} 1.0' in expose(record).splitlines()
    assert expose(record).endswith("\n# EOF\n")


def test_what_the_canary_sends_is_no_part_of_what_the_runtime_must_emit() -> None:
    assert canary.SCOPE not in scopes.ALL
    assert canary.SENT not in metrics.ALL
    assert not set(canary.SPANS) & set(spans.ALL)


def test_without_a_folder_it_tells_in_plain_http_and_only_what_is_asked() -> None:
    with listening(ANYWHERE, lambda: "text", None) as endpoint:
        connection = HTTPConnection("127.0.0.1", endpoint.port, timeout=5)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.headers["content-type"]) == (200, b"text", MEDIA_TYPE)
        connection.close()
        connection.request("GET", "/")
        assert connection.getresponse().status == 404
        connection.close()


def test_a_port_that_is_taken_is_told() -> None:
    with listening(ANYWHERE, str, None) as endpoint:
        taken = Address("127.0.0.1", endpoint.port)
        with pytest.raises(MachineError, match=str(endpoint.port)), listening(taken, str, None):
            pass


def ask(port: int, trusted: Path, client: Path | None, newest: ssl.TLSVersion | None = None) -> bytes:
    context = ssl.create_default_context(cafile=trusted / "ca.pem")
    if newest:
        context.maximum_version = newest
    if client:
        context.load_cert_chain(client / "cert.pem", client / "key.pem")
    connection = HTTPSConnection("localhost", port, timeout=5, context=context)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    finally:
        connection.close()


def test_only_who_has_a_certificate_of_the_authority_that_holds_is_told(authority: Authority) -> None:
    issuer = authority("a")
    home, scraper = issuer.issue("canary"), issuer.issue("prometheus")
    expired = issuer.issue("late", ends_in=-dt.timedelta(hours=1))
    foreign = authority("b").issue("stranger")
    with listening(ANYWHERE, lambda: "text", Folder(home)) as endpoint:
        assert ask(endpoint.port, home, scraper) == b"text"
        for refused in (None, expired, foreign):
            with pytest.raises(OSError, match=r"alert|reset|closed|EOF|Broken"):
                ask(endpoint.port, home, refused)
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            ask(endpoint.port, home, scraper, ssl.TLSVersion.TLSv1_2)
        plain = HTTPConnection("127.0.0.1", endpoint.port, timeout=5)
        plain.request("GET", "/metrics")
        with pytest.raises(OSError, match=r"reset|closed"):
            plain.getresponse()
        plain.close()
        assert ask(endpoint.port, home, scraper) == b"text"


def test_after_a_rotation_it_shows_the_new_certificate_and_trusts_the_new_authority_only(
    authority: Authority,
) -> None:
    former, next_one = authority("former"), authority("next")
    home, scraper = former.issue("canary"), former.issue("prometheus")
    fresh, late = next_one.issue("canary"), next_one.issue("prometheus")
    with listening(ANYWHERE, lambda: "text", Folder(home)) as endpoint:
        former.put(home / "key.pem", (fresh / "key.pem").read_bytes())
        assert ask(endpoint.port, scraper, scraper) == b"text"  # half a rotation: the former ones hold
        for name in ("cert.pem", "ca.pem"):
            former.put(home / name, (fresh / name).read_bytes())
        assert ask(endpoint.port, late, late) == b"text"
        with pytest.raises(OSError, match=r"alert|reset|closed|EOF|Broken"):
            ask(endpoint.port, late, scraper)


def watching(port: int, home: Path) -> Settings:
    return from_environ(
        {
            canary.PROMETHEUS.name: "http://localhost:1",
            canary.JAEGER.name: "https://localhost:1",
            canary.CREDENTIALS.name: str(home),
            canary.WATCH.name: f"localhost:{port}=watched",
        }
    )


def test_a_certificate_that_has_ended_is_seen_and_one_that_cannot_be_looked_at_stays(
    authority: Authority,
) -> None:
    issuer = authority("a")
    home, late = issuer.issue("canary"), issuer.issue("late", ends_in=-dt.timedelta(hours=1))
    record = Record()
    with listening(ANYWHERE, str, Folder(late)) as endpoint:
        settings = watching(endpoint.port, home)
        record.know(looks(settings))
    now = dt.datetime.now(dt.UTC).timestamp()
    assert record.expiries["watched"] < now < record.expiries["own"]
    assert record.ports == {"watched": True, "jaeger": False}
    seen = dict(record.expiries)
    record.know(looks(settings))  # nobody listens any more
    assert record.expiries == seen
    assert record.ports == {"watched": False, "jaeger": False}
    assert "jaeger" not in seen
