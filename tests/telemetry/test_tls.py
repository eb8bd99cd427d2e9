"""TLS by the standard variables: every mistake is told before anything starts, and no secret is repeated."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from opentelemetry.sdk.trace.export import SpanExportResult
from requests import Request

from loom.contract import environment as e
from loom.errors import EnvironmentValueError
from loom.telemetry import Settings, from_environ
from loom.telemetry.credentials import Credentials
from loom.telemetry.renewal import Renewal
from loom.telemetry.session import session

SECURE = {e.ENDPOINT.name: "https://localhost:4317"}
Authority = Callable[[str], Any]


def problems(environ: dict[str, str]) -> str:
    with pytest.raises(EnvironmentValueError) as refused:
        from_environ(environ)
    return str(refused.value)


def client(home: Path) -> dict[str, str]:
    return {
        e.CERTIFICATE.name: str(home / "ca.pem"),
        e.CLIENT_CERTIFICATE.name: str(home / "cert.pem"),
        e.CLIENT_KEY.name: str(home / "key.pem"),
    }


def test_the_files_of_each_signal_are_its_own_or_the_general_ones(authority: Authority) -> None:
    general, own = authority("a").issue("loom"), authority("b").issue("metrics")
    settings = from_environ({**SECURE, **client(general), e.METRICS.certificate.name: str(own / "ca.pem")})
    assert settings.traces.credentials.authority == str(general / "ca.pem")
    assert settings.metrics.credentials.authority == str(own / "ca.pem")
    assert settings.metrics.credentials.key == str(general / "key.pem")


def test_a_key_of_another_certificate_is_refused_by_both_names_and_files(authority: Authority) -> None:
    issuer = authority("a")
    one, other = issuer.issue("one"), issuer.issue("other")
    told = problems({**SECURE, **client(one), e.TRACES.client_key.name: str(other / "key.pem")})
    assert e.CLIENT_CERTIFICATE.name in told
    assert e.TRACES.client_key.name in told
    assert f"the key in '{other / 'key.pem'}' is not that of the certificate in '{one / 'cert.pem'}'" in told


@pytest.mark.parametrize(
    "variable", [e.CERTIFICATE, e.CLIENT_KEY, e.TRACES.certificate, e.METRICS.client_key]
)
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nhunter2\n"])
def test_a_file_that_is_missing_empty_or_torn_is_refused_by_variable_and_name(
    variable: e.Variable, content: bytes | None, authority: Authority, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pem"
    if content is not None:
        bad.write_bytes(content)
    told = problems({**SECURE, **client(authority("a").issue("loom")), variable.name: str(bad)})
    assert variable.name in told
    assert str(bad) in told
    assert "hunter2" not in told


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(authority: Authority) -> None:
    home = authority("a").issue("loom")
    key = serialization.load_pem_private_key((home / "key.pem").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"hunter2"),
    )
    (home / "key.pem").write_bytes(locked)
    assert "is encrypted" in problems({**SECURE, **client(home)})


def test_certificates_that_nobody_would_look_at_are_refused(authority: Authority) -> None:
    told = problems(client(authority("a").issue("loom")))
    assert f"{e.CERTIFICATE.name} is set, but nothing would be encrypted" in told
    assert "https://" in told


def test_a_token_is_read_from_its_file_and_stands_in_no_repr(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("hunter2\n")
    settings = from_environ({**SECURE, e.TOKEN_FILE.name: str(file)})
    assert settings.traces.metadata() == (("authorization", "Bearer hunter2"),)
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("content", ["", "\n", "hunter2 hunter2", "hünter2", "hunter2\nhunter2"])
def test_a_file_without_a_token_is_refused_without_its_content(content: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    told = problems({**SECURE, e.TOKEN_FILE.name: str(file)})
    assert e.TOKEN_FILE.name in told
    assert str(file) in told
    assert "nter2" not in told


def test_two_ways_to_authorise_are_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2")
    environ = {**SECURE, e.TOKEN_FILE.name: str(tmp_path / "token"), e.HEADERS.name: "Authorization=hunter3"}
    told = problems(environ)
    assert f"{e.TOKEN_FILE.name} and {e.HEADERS.name} both" in told
    assert "hunter" not in told


def test_a_token_leaves_this_machine_encrypted_only(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2")
    token = {e.TOKEN_FILE.name: str(tmp_path / "token")}
    assert "plain text" in problems({e.ENDPOINT.name: "http://collector:4317", **token})
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert from_environ({e.ENDPOINT.name: f"http://{host}:4317", **token}).traces.metadata()


@pytest.mark.parametrize(("insecure", "scheme"), [("true", "http"), ("false", "https"), ("TRUE", "http")])
def test_without_a_scheme_insecure_decides_and_a_scheme_wins(insecure: str, scheme: str) -> None:
    said = {e.INSECURE.name: insecure}
    settings = from_environ({e.ENDPOINT.name: "collector:4317", **said})
    assert settings.traces_endpoint == settings.metrics_endpoint == f"{scheme}://collector:4317"
    assert from_environ({**SECURE, **said}).traces_endpoint == "https://localhost:4317"
    assert from_environ(said) == Settings()


def test_one_signal_may_be_insecure_alone() -> None:
    settings = from_environ(
        {
            e.ENDPOINT.name: "https://collector:4317",
            e.METRICS.endpoint.name: "127.0.0.1:4319",
            e.METRICS.insecure.name: "true",
        }
    )
    assert settings.traces_endpoint == "https://collector:4317"
    assert settings.metrics_endpoint == "http://127.0.0.1:4319"


def test_over_http_insecure_plays_no_part() -> None:
    environ = {e.ENDPOINT.name: "collector:4318", e.PROTOCOL.name: "http/protobuf", e.INSECURE.name: "true"}
    assert f"{e.ENDPOINT.name} must be a URL" in problems(environ)


def test_a_password_in_an_endpoint_is_refused_and_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = problems({e.ENDPOINT.name: "https://loom:hunter2@collector:4317"})
    assert e.ENDPOINT.name in told
    assert "hunter2" not in told + caplog.text


def test_a_netrc_does_not_replace_our_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine collector login loom password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    request = Request("POST", "https://collector/v1/traces", {"authorization": "Bearer ours"})
    assert session().prepare_request(request).headers["authorization"] == "Bearer ours"


class Sender:
    """The fake of an exporter: what it was made from, and whether it was stopped."""

    def __init__(self, made_from: str) -> None:
        """Sends nothing yet."""
        self.made_from = made_from
        self.stopped = False

    def shutdown(self) -> None:
        self.stopped = True


class Senders:
    """Every exporter that was made."""

    def __init__(self, home: Path) -> None:
        """From the key in `home`."""
        self.made: list[Sender] = []
        self._key = home / "key.pem"

    def make(self) -> Sender:
        self.made.append(Sender(self._key.read_text()))
        return self.made[-1]

    def sent(self, sender: Sender) -> SpanExportResult:
        """Refused unless it shows what the file has now."""
        current = sender.made_from == self._key.read_text()
        return SpanExportResult.SUCCESS if current else SpanExportResult.FAILURE


def renewal(home: Path) -> tuple[Renewal[Sender], Senders]:
    senders = Senders(home)
    files = Credentials(*(str(home / name) for name in ("ca.pem", "cert.pem", "key.pem")))
    return Renewal(senders.make, files), senders


def test_an_exporter_is_made_once_while_nothing_changes(authority: Authority) -> None:
    renewed, senders = renewal(authority("a").issue("loom"))
    for _ in range(3):
        assert renewed.export(senders.sent, SpanExportResult.SUCCESS) is SpanExportResult.SUCCESS
    assert len(senders.made) == 1


def test_files_that_change_make_a_new_exporter_and_stop_the_former(authority: Authority) -> None:
    issuer = authority("a")
    renewed, senders = renewal(issuer.issue("loom"))
    issuer.issue("loom")
    assert renewed.export(senders.sent, SpanExportResult.SUCCESS) is SpanExportResult.SUCCESS
    assert [sender.stopped for sender in senders.made] == [True, False]


def test_what_was_refused_while_the_files_changed_is_sent_again(authority: Authority) -> None:
    issuer = authority("a")
    renewed, senders = renewal(issuer.issue("loom"))

    def send(sender: Sender) -> SpanExportResult:
        if len(senders.made) == 1:  # the collector knows the new certificate before we have it
            issuer.issue("loom")
        return senders.sent(sender)

    assert renewed.export(send, SpanExportResult.SUCCESS) is SpanExportResult.SUCCESS
    assert len(senders.made) == 2


def test_half_a_rotation_keeps_the_former_exporter_and_says_so_once(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    issuer = authority("a")
    home = issuer.issue("loom")
    renewed, senders = renewal(home)
    other = issuer.issue("other")
    issuer.put(home / "key.pem", (other / "key.pem").read_bytes())
    for _ in range(2):
        renewed.export(lambda _: SpanExportResult.SUCCESS, SpanExportResult.SUCCESS)
    assert len(senders.made) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    issuer.put(home / "cert.pem", (other / "cert.pem").read_bytes())
    assert renewed.export(senders.sent, SpanExportResult.SUCCESS) is SpanExportResult.SUCCESS
    assert len(senders.made) == 2


def test_files_that_go_away_keep_the_former_exporter(authority: Authority) -> None:
    home = authority("a").issue("loom")
    renewed, senders = renewal(home)
    for file in home.iterdir():
        file.unlink()
    renewed.export(lambda _: SpanExportResult.SUCCESS, SpanExportResult.SUCCESS)
    assert not senders.made[0].stopped


def test_once_stopped_no_exporter_is_made(authority: Authority) -> None:
    issuer = authority("a")
    renewed, senders = renewal(issuer.issue("loom"))
    renewed.stop(Sender.shutdown)
    issuer.issue("loom")
    renewed.export(senders.sent, SpanExportResult.SUCCESS)
    assert [sender.stopped for sender in senders.made] == [True]
