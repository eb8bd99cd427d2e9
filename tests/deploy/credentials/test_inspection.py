"""`certs check`: each thing that can be wrong with a certificate is found, and said of the right file."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loom.deploy.credentials import reading
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.certificate import (
    Subject,
    Validity,
    made_authority,
    made_key,
    pem,
    private,
    signed,
)
from loom.deploy.credentials.inspection import Standing, inspect
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.ownership import strangers
from loom.deploy.credentials.rotation import renew
from loom.deploy.credentials.vault import Vault, prepare
from loom.deploy.plan.model import Plan

Later = Callable[[int], datetime]


def wrong(plan: Plan, vault: Vault, moment: datetime | None = None) -> dict[str, str]:
    """Party -> everything that is wrong with it."""
    return {
        one.party: "\n".join(map(str, one.problems)) for one in inspect(plan, vault, moment) if one.problems
    }


def standing(plan: Plan, vault: Vault, party: str, moment: datetime) -> Standing:
    return next(one for one in inspect(plan, vault, moment) if one.party == party)


def put(vault: Vault, party: str, subject: Subject, validity: Validity | None = None) -> None:
    """A pair of the authority's, for this subject."""
    signer = reading.authority(vault.authority / "ca.pem", vault.authority / "key.pem")
    key = made_key()
    for name in ("cert.pem", "key.pem"):
        vault.file(party, name).unlink()
    vault.file(party, "cert.pem").write_bytes(
        pem((signed(signer, subject, validity or Order().validity, key),))
    )
    vault.file(party, "key.pem").touch(mode=0o600)
    vault.file(party, "key.pem").write_bytes(private(key))


def test_every_problem_of_every_party_is_reported_at_once(plan: Plan, created: Vault) -> None:
    created.file("jaeger", "key.pem").unlink()
    created.file("grafana", "ca.pem").unlink()
    created.file("loom", "key.pem").chmod(0o644)
    found = wrong(plan, created)
    assert set(found) == {"jaeger", "grafana", "loom"}
    assert "chmod 600" in found["loom"]
    assert "grafana/ca.pem  cannot be read: no such file" in found["grafana"]
    assert "loom-deploy certs create" in found["grafana"]


@pytest.mark.parametrize(("days", "verdict"), [(75, ""), (77, "warning"), (88, "problem"), (91, "problem")])
def test_the_end_is_warned_of_and_then_refused(
    plan: Plan, created: Vault, later: Later, days: int, verdict: str
) -> None:
    one = standing(plan, created, "jaeger", later(days))
    assert bool(one.warnings) == (verdict == "warning")
    assert bool(one.problems) == (verdict == "problem")


def test_what_has_ended_is_said_to_have_ended_and_nothing_else(
    plan: Plan, created: Vault, later: Later
) -> None:
    one = standing(plan, created, "jaeger", later(100))
    assert one.days < 0
    assert [problem.message[:12] for problem in one.problems] == ["has ended on"]


def test_a_certificate_from_the_future_is_not_valid_yet(plan: Plan, created: Vault) -> None:
    assert "is not valid before" in wrong(plan, created, datetime.now(UTC) - timedelta(days=1))["jaeger"]


def test_a_foreign_certificate_is_not_trusted_by_those_who_meet_it(
    plan: Plan, created: Vault, tmp_path: Path
) -> None:
    elsewhere = prepare(tmp_path / "elsewhere")
    create(plan, elsewhere, Order())
    for one, other in zip(created.identity("jaeger"), elsewhere.identity("jaeger"), strict=True):
        if not one.is_symlink():
            one.write_bytes(other.read_bytes())
    found = wrong(plan, created)
    # Jaeger trusts none of its callers, and none of them trusts it.
    assert {"jaeger", "otel-collector", "grafana", "proxy", "canary", "probe"} == set(found)
    assert "does not lead to an authority that otel-collector trusts" in found["jaeger"]
    assert "does not lead to an authority that jaeger trusts" in found["otel-collector"]


def test_a_key_of_another_certificate_is_found(plan: Plan, created: Vault) -> None:
    cert = created.file("jaeger", "cert.pem")
    text = pem(reading.certificates(cert))
    cert.unlink()
    cert.write_bytes(text)
    created.file("jaeger", "key.pem").write_bytes(private(made_key()))
    assert "is not the key of the certificate beside it" in wrong(plan, created)["jaeger"]


def test_a_certificate_for_other_names_is_found(plan: Plan, created: Vault) -> None:
    put(created, "jaeger", Subject("jaeger", ("localhost",), server=True, client=False))
    assert "is not for loom-jaeger, 127.0.0.1, ::1" in wrong(plan, created)["jaeger"]


def test_a_certificate_for_another_purpose_is_found(plan: Plan, created: Vault) -> None:
    put(created, "loom", Subject("loom", (), server=True, client=False))
    assert "may not be used as client" in wrong(plan, created)["loom"]


def test_a_host_added_to_the_profile_is_missing_in_the_certificates(
    created: Vault, variant: Callable[[str], Plan]
) -> None:
    plan = variant("security: {tls: {hosts: [telemetry.example]}}")
    assert "is not for telemetry.example" in wrong(plan, created)["otel-collector"]
    assert "loom" not in wrong(plan, created)


def test_what_is_no_pem_is_named_without_its_content(plan: Plan, created: Vault) -> None:
    created.file("loom", "key.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nhush-hush\n-----END PRIVATE KEY-----\n"
    )
    found = wrong(plan, created)["loom"]
    assert "is no private key that can be read" in found
    assert "hush-hush" not in found


def test_an_authority_that_has_ended_is_trusted_no_more(plan: Plan, vault: Vault, later: Later) -> None:
    create(plan, vault, Order(days=30, authority_days=30))
    assert "has ended" in wrong(plan, vault, later(31))["jaeger"]


def test_a_company_wildcard_covers_a_host_and_a_deeper_one_not(
    created: Vault, variant: Callable[[str], Plan]
) -> None:
    plan = variant("security: {tls: {hosts: [a.telemetry.example, a.b.telemetry.example]}}")
    signer = made_authority(("telemetry.example",), Order().validity)
    subject = Subject("*.telemetry.example", (), server=True, client=False)
    cert = created.file("jaeger", "cert.pem")
    cert.unlink()
    cert.write_bytes(pem((signed(signer, subject, Order().validity, made_key()),)))
    said = wrong(plan, created)["jaeger"]
    assert "a.b.telemetry.example" in said
    assert " a.telemetry.example" not in said


def test_folders_of_another_user_than_the_containers_are_one_remark_with_its_remedy(vault: Vault) -> None:
    (vault.folder / "grafana").mkdir()
    (vault.folder / "jaeger").mkdir()
    (vault.folder / "operator").mkdir()
    found = strangers(vault, {"grafana": 123472, "jaeger": 123534, "operator": -1, "absent": 5})
    assert len(found) == 1
    assert f"chown -R 123472 {vault.folder}/grafana && " in found[0].hint
    assert "operator" not in found[0].message


def test_renewed_certificates_check_as_good_as_new(plan: Plan, created: Vault, later: Later) -> None:
    renew(plan, created, Order(moment=later(80)))
    assert wrong(plan, created, later(160)) == {}
