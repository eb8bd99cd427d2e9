"""`certs create`: what it makes, what it leaves alone, and what it refuses."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from loom.deploy import api
from loom.deploy.credentials import certificate, file, reading
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.certificate import Validity, made_authority, made_key, pem, private
from loom.deploy.credentials.inspection import inspect
from loom.deploy.credentials.issue import State, create
from loom.deploy.credentials.vault import Vault, prepare
from loom.deploy.plan.identity import identities
from loom.deploy.plan.model import Plan
from loom.deploy.writer import commit
from loom.errors import InputError, WriteError


def leaf(vault: Vault, party: str) -> x509.Certificate:
    return reading.certificates(vault.file(party, "cert.pem"))[0]


def contents(vault: Vault) -> dict[str, bytes]:
    return {
        str(path.relative_to(vault.folder)): path.read_bytes()
        for path in vault.folder.rglob("*")
        if path.is_file()
    }


def test_every_party_gets_a_certificate_that_passes_every_check(plan: Plan, created: Vault) -> None:
    standings = inspect(plan, created)
    assert [one.party for one in standings] == [one.name for one in identities(plan)]
    assert [one.problems for one in standings if one.problems] == []
    assert [one.warnings for one in standings if one.warnings] == []


def test_a_server_is_for_its_names_and_who_only_calls_can_serve_nobody(plan: Plan, created: Vault) -> None:
    standings = {one.party: one for one in inspect(plan, created)}
    assert {"prometheus", "loom-prometheus", "localhost", "127.0.0.1", "::1"} <= set(
        standings["prometheus"].hosts
    )
    assert standings["loom"].use == "client"
    assert standings["jaeger"].use == "server"


def test_a_certificate_is_of_the_form_that_programs_ask_for(created: Vault) -> None:
    one, now = leaf(created, "otel-collector"), datetime.now(UTC)
    key = one.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert one.not_valid_before_utc < now - timedelta(minutes=5)
    assert one.not_valid_after_utc < now + timedelta(days=90)
    usage = one.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert not one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    issuer = reading.certificates(created.file("otel-collector", "ca.pem"))[0]
    stated = one.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert stated == own
    assert one.serial_number.bit_length() > 64


def test_the_authority_can_sign_nothing_of_the_rest_of_the_world(created: Vault) -> None:
    signer = reading.authority(created.authority / "ca.pem", created.authority / "key.pem")
    subject = certificate.Subject("bank.example", ("bank.example",), server=True, client=True)
    forged = certificate.signed(signer, subject, Order().validity, made_key())
    assert not reading.verifies((forged,), signer.roots, datetime.now(UTC))


def test_keys_are_for_their_owner_only_whatever_the_umask(plan: Plan, rendered: Path) -> None:
    before = os.umask(0)
    try:
        vault = prepare(rendered)
        create(plan, vault, Order())
    finally:
        os.umask(before)
    for path in (vault.folder, *vault.folder.rglob("*")):
        bits = stat.S_IMODE(path.stat().st_mode)
        if path.is_dir():
            assert bits == 0o700, path
        elif path.name == "key.pem":
            assert bits == 0o600, path


def test_a_container_that_runs_as_another_user_owns_its_folder(
    plan: Plan, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, int] = {}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, owner, _group: given.update({Path(path).name: owner}))
    monkeypatch.setattr(os, "fchown", lambda _descriptor, owner, _group: given.update({str(owner): owner}))
    create(plan, vault, Order())
    assert given == {
        **{one.name: one.owner for one in identities(plan) if one.owner >= 0},
        **{str(one.owner): one.owner for one in identities(plan) if one.owner >= 0},
    }


def test_creating_twice_changes_nothing(plan: Plan, created: Vault) -> None:
    before = contents(created)
    assert {one.state for one in create(plan, created, Order())} == {State.KEPT}
    assert contents(created) == before


def test_a_missing_certificate_is_made_by_the_authority_that_is_there(plan: Plan, created: Vault) -> None:
    before = contents(created)
    for path in created.identity("grafana"):
        path.unlink()
    states = {one.party: one.state for one in create(plan, created, Order())}
    assert states.pop("grafana") is State.CREATED
    assert set(states.values()) == {State.KEPT}
    after = contents(created)
    assert {name for name in after if after[name] != before[name]} == {
        "grafana/cert.pem",
        "grafana/key.pem",
    }
    assert not [one.problems for one in inspect(plan, created) if one.problems]


def test_a_certificate_of_ones_own_is_kept_and_said_to_be_yours(plan: Plan, vault: Vault) -> None:
    own = made_authority(("prometheus", "localhost"), Validity.of(datetime.now(UTC), 10))
    key = made_key()
    subject = certificate.Subject("prometheus", ("localhost",), server=True, client=True)
    text = pem((certificate.signed(own, subject, Order().validity, key),))
    folder = vault.folder / "prometheus"
    folder.mkdir(mode=0o700)
    (folder / "cert.pem").write_bytes(text)
    (folder / "key.pem").write_bytes(private(key))
    (folder / "ca.pem").write_bytes(pem(own.roots))
    states = {one.party: (one.state, one.yours) for one in create(plan, vault, Order())}
    assert states["prometheus"] == (State.KEPT, True)
    assert states["grafana"] == (State.CREATED, False)
    assert (folder / "cert.pem").read_bytes() == text


def test_a_key_of_ones_own_gets_a_certificate(plan: Plan, vault: Vault) -> None:
    key, place = made_key(), vault.file("prometheus", "key.pem")
    place.parent.mkdir()
    place.write_bytes(private(key))
    create(plan, vault, Order())
    assert reading.belong(leaf(vault, "prometheus"), key)


def test_a_certificate_without_its_key_is_refused_before_anything_is_written(
    plan: Plan, created: Vault
) -> None:
    cert = leaf(created, "prometheus")
    created.file("prometheus", "key.pem").unlink()
    created.file("prometheus", "cert.pem").unlink()
    created.file("prometheus", "cert.pem").write_bytes(pem((cert,)))
    before = contents(created)
    with pytest.raises(InputError, match="without its key"):
        create(plan, created, Order())
    assert contents(created) == before


def test_an_authority_of_ones_own_that_may_not_sign_for_a_party_is_refused(
    plan: Plan, vault: Vault, tmp_path: Path
) -> None:
    own = made_authority(("localhost", "alertmanager"), Validity.of(datetime.now(UTC), 999))
    (tmp_path / "ca.pem").write_bytes(pem(own.roots))
    (tmp_path / "ca.key").write_bytes(private(own.key))
    order = Order(ca=tmp_path / "ca.pem", ca_key=tmp_path / "ca.key")
    with pytest.raises(InputError, match=r"may not sign for alertmanager, .*loom-alertmanager"):
        create(plan, vault, order)
    assert not (vault.folder / "alertmanager").exists()


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
def test_an_authority_that_does_not_fit_its_key_is_refused(
    plan: Plan, vault: Vault, tmp_path: Path, chain: tuple[bytes, bytes], name: str
) -> None:
    (tmp_path / "ca.pem").write_bytes(chain[0])
    (tmp_path / "ca.key").write_bytes(chain[1] if name == "ca.pem" else private(made_key()))
    if name == "ca.pem":  # the intermediate alone: nobody would know whom to trust
        (tmp_path / name).write_bytes(pem(reading.certificates(tmp_path / name)[:1]))
    with pytest.raises(InputError, match=r"no self-signed root|not the authority's key"):
        create(plan, vault, Order(ca=tmp_path / "ca.pem", ca_key=tmp_path / "ca.key"))


def test_certificates_under_an_intermediate_carry_it_along(
    plan: Plan, vault: Vault, tmp_path: Path, chain: tuple[bytes, bytes]
) -> None:
    certificates, key = chain
    (tmp_path / "ca.pem").write_bytes(certificates)
    (tmp_path / "ca.key").write_bytes(key)
    create(plan, vault, Order(ca=tmp_path / "ca.pem", ca_key=tmp_path / "ca.key"))
    assert len(reading.certificates(vault.file("jaeger", "cert.pem"))) == 2
    assert len(reading.certificates(vault.file("jaeger", "ca.pem"))) == 1
    assert not (vault.authority / "key.pem").exists()
    assert not [one.problems for one in inspect(plan, vault) if one.problems]


@pytest.fixture
def chain() -> tuple[bytes, bytes]:
    """A root, an intermediate that signs, and the intermediate's key: as a company has them."""
    now = datetime.now(UTC)
    root_key, key = made_key(), made_key()

    def authority(name: str, issuer: str, public: ec.EllipticCurvePublicKey) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])

        builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer))
        builder = builder.public_key(public).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=365))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.sign(root_key, SHA256())

    root = authority("root", "root", root_key.public_key())
    return pem((authority("between", "root", key.public_key()), root)), private(key)


def test_an_authority_whose_key_was_taken_away_is_asked_for(
    plan: Plan, created: Vault, tmp_path: Path
) -> None:
    away = tmp_path / "away.pem"
    (created.authority / "key.pem").rename(away)
    assert {one.state for one in create(plan, created, Order())} == {State.KEPT}
    created.file("jaeger", "cert.pem").unlink()
    with pytest.raises(InputError, match="authority's key is not here"):
        create(plan, created, Order())
    create(plan, created, Order(ca_key=away))
    assert not [one.problems for one in inspect(plan, created) if one.problems]


def test_no_second_authority_is_made_beside_certificates_of_a_lost_one(plan: Plan, created: Vault) -> None:
    (created.authority / "ca.pem").unlink()
    (created.authority / "key.pem").unlink()
    created.file("jaeger", "cert.pem").unlink()
    with pytest.raises(InputError, match="authority that signed is not here"):
        create(plan, created, Order())


def test_force_replaces_certificates_and_keeps_the_authority(plan: Plan, created: Vault) -> None:
    before = contents(created)
    assert {one.state for one in create(plan, created, Order(force=True))} == {State.REPLACED}
    after = contents(created)
    assert after["authority/ca.pem"] == before["authority/ca.pem"]
    assert all(after[f"{one.name}/key.pem"] != before[f"{one.name}/key.pem"] for one in identities(plan))


def test_a_host_outside_what_the_authority_may_sign_is_refused_with_the_way_out(
    plan: Plan, created: Vault
) -> None:
    created.file("jaeger", "cert.pem").unlink()
    with pytest.raises(InputError, match="rotate --authority trust"):
        create(plan, created, Order(hosts=("telemetry.example",)))


def test_further_hosts_and_those_of_the_profile_are_in_every_server(
    vault: Vault, variant: Callable[[str], Plan]
) -> None:
    plan = variant("security: {tls: {hosts: [telemetry.example, 10.1.2.3]}}")
    create(plan, vault, Order(hosts=("another.example",)))
    assert {"telemetry.example", "10.1.2.3", "another.example"} <= set(
        certificate.hosts(leaf(vault, "otel-collector"))
    )
    assert certificate.hosts(leaf(vault, "loom")) == ("loom",)


def test_a_profile_without_tls_needs_no_certificates(vault: Vault) -> None:
    with pytest.raises(InputError, match="encrypts nothing"):
        create(api.load_plan("dev"), vault, Order())


def test_a_certificate_never_outlives_its_authority(plan: Plan, vault: Vault) -> None:
    create(plan, vault, Order(days=90, authority_days=30))
    root = reading.certificates(vault.authority / "ca.pem")[0]
    assert leaf(vault, "jaeger").not_valid_after_utc == root.not_valid_after_utc


def test_a_full_disk_leaves_everything_as_it_was(
    plan: Plan, created: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, count = contents(created), 0
    real = file._write

    def failing(one: file.File) -> None:
        nonlocal count
        count += 1
        if count == 5:
            raise OSError(28, "No space left on device", str(one.path))
        real(one)

    monkeypatch.setattr(file, "_write", failing)
    with pytest.raises(WriteError, match="no space left on device"):
        create(plan, created, Order(force=True))
    assert contents(created) == before


def test_a_render_keeps_the_secrets_in_the_very_same_folder(
    plan: Plan, created: Vault, rendered: Path
) -> None:
    from loom.deploy.artifacts.render import render  # noqa: PLC0415 - only this test renders

    before, inode = contents(created), (created.folder / "jaeger").stat().st_ino
    commit(rendered, render(plan))
    assert contents(created) == before
    assert (created.folder / "jaeger").stat().st_ino == inode


def test_version_control_is_told_to_leave_the_secrets_alone(created: Vault) -> None:
    assert (created.folder / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("target", ["../rendered-secrets", "elsewhere"])
def test_a_link_that_leads_nowhere_gets_the_folder_it_leads_to(
    plan: Plan, rendered: Path, target: str
) -> None:
    rendered.mkdir()
    (rendered / "secrets").symlink_to(target)
    create(plan, prepare(rendered), Order())
    assert (rendered / "secrets").readlink() == Path(target)
    assert (rendered / target / ".gitignore").is_file()
    assert (rendered / target / "jaeger" / "key.pem").is_file()
