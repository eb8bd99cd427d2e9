"""`certs rotate`: new certificates under the same names, and an authority that everybody trusts in time."""

import ssl
from collections.abc import Callable
from datetime import datetime
from itertools import permutations

import pytest

from loom.deploy.credentials import reading
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.certificate import hosts
from loom.deploy.credentials.inspection import inspect
from loom.deploy.credentials.issue import State, create
from loom.deploy.credentials.rotation import renew
from loom.deploy.credentials.succession import Step, replace, turn_of
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import identities
from loom.deploy.plan.model import Plan
from loom.errors import InputError


def healthy(plan: Plan, vault: Vault) -> None:
    assert [str(problem) for one in inspect(plan, vault) for problem in one.problems] == []


def pairs(vault: Vault, plan: Plan) -> dict[str, bytes]:
    return {one.name: vault.file(one.name, "key.pem").read_bytes() for one in identities(plan)}


def context(side: int, material: tuple[bytes, bytes], tmp: Vault) -> ssl.SSLContext:
    """Of what a party had read at some moment: its pair and whom it trusted; as strict as OpenSSL can be."""
    pair, trust = material
    made = ssl.SSLContext(side)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.load_verify_locations(cadata=trust.decode())
    file = tmp.folder / "read.pem"
    file.write_bytes(pair)
    made.load_cert_chain(file)
    return made


def shake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """A whole mutual handshake in memory; ssl.SSLError when one refuses the other."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=host)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(6):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    other.write(b"heard")
    assert one.read() == b"heard"


def material(vault: Vault, party: str) -> tuple[bytes, bytes]:
    return vault.file(party, "key.pem").read_bytes(), vault.file(party, "ca.pem").read_bytes()


def test_new_pairs_under_the_same_names_and_the_same_authority(plan: Plan, created: Vault) -> None:
    before, trust = pairs(created, plan), created.file("jaeger", "ca.pem").read_bytes()
    assert {one.state for one in renew(plan, created, Order())} == {State.REPLACED}
    after = pairs(created, plan)
    assert all(after[name] != before[name] for name in before)
    assert created.file("jaeger", "ca.pem").read_bytes() == trust
    healthy(plan, created)


def test_keys_can_be_kept(plan: Plan, created: Vault) -> None:
    key = reading.key(created.file("jaeger", "key.pem"))
    before = pairs(created, plan)
    renew(plan, created, Order(keep_keys=True))
    assert pairs(created, plan)["jaeger"] != before["jaeger"]
    assert reading.belong(reading.certificates(created.file("jaeger", "cert.pem"))[0], key)
    healthy(plan, created)


def test_only_the_named_party_is_renewed(plan: Plan, created: Vault) -> None:
    before = pairs(created, plan)
    renew(plan, created, Order(), ("grafana",))
    after = pairs(created, plan)
    assert [name for name in after if after[name] != before[name]] == ["grafana"]


def test_an_unknown_party_is_refused_with_those_there_are(plan: Plan, created: Vault) -> None:
    with pytest.raises(InputError, match=r"grafanna has no certificate.*grafana"):
        renew(plan, created, Order(), ("grafanna",))


def test_names_that_were_added_once_stay(plan: Plan, vault: Vault) -> None:
    create(plan, vault, Order(hosts=("telemetry.example",)))
    renew(plan, vault, Order())
    assert "telemetry.example" in hosts(reading.certificates(vault.file("jaeger", "cert.pem"))[0])


def test_a_reader_never_finds_a_certificate_and_a_key_that_do_not_fit(plan: Plan, created: Vault) -> None:
    # One file under both names: whatever moment a program opens it, both are of one issue.
    for one in identities(plan):
        assert created.file(one.name, "cert.pem").samefile(created.file(one.name, "key.pem"))
    renew(plan, created, Order())
    for one in identities(plan):
        assert created.file(one.name, "cert.pem").samefile(created.file(one.name, "key.pem"))


def test_a_new_authority_comes_without_a_moment_of_distrust(plan: Plan, created: Vault) -> None:
    """Whoever has read the files as of one step talks to whoever has read them as of the next."""
    read = {party: [material(created, party)] for party in ("jaeger", "otel-collector")}
    for step in Step:
        replace(plan, created, Order(), step)
        healthy(plan, created)
        for party, seen in read.items():
            seen.append(material(created, party))
        for server, client in ((-1, -1), (-1, -2), (-2, -1)):
            shake(
                context(ssl.PROTOCOL_TLS_SERVER, read["jaeger"][server], created),
                context(ssl.PROTOCOL_TLS_CLIENT, read["otel-collector"][client], created),
                "jaeger",
            )
    # And what it is all for: the old authority opens nothing any more.
    with pytest.raises(ssl.SSLError):
        shake(
            context(ssl.PROTOCOL_TLS_SERVER, read["jaeger"][-1], created),
            context(ssl.PROTOCOL_TLS_CLIENT, read["otel-collector"][0], created),
            "jaeger",
        )
    assert sorted(path.name for path in created.authority.iterdir()) == ["ca.pem", "key.pem"]


@pytest.mark.parametrize("order", [each for each in permutations(Step) if each != tuple(Step)])
def test_steps_out_of_turn_are_refused_and_change_nothing(
    plan: Plan, created: Vault, order: tuple[Step, ...]
) -> None:
    for step in order:
        if step is turn_of(created):
            replace(plan, created, Order(), step)
            continue
        before = pairs(created, plan)
        with pytest.raises(InputError, match="is not the step that is next"):
            replace(plan, created, Order(), step)
        assert pairs(created, plan) == before


def test_a_party_that_missed_the_first_step_keeps_the_second_from_happening(
    plan: Plan, created: Vault
) -> None:
    before = created.file("jaeger", "ca.pem").read_bytes()
    replace(plan, created, Order(), Step.TRUST)
    created.file("jaeger", "ca.pem").write_bytes(before)
    with pytest.raises(InputError, match=r"jaeger/ca.pem  does not hold the authority that is to sign"):
        replace(plan, created, Order(), Step.ISSUE)
    healthy(plan, created)


def test_the_old_authority_is_not_dropped_while_a_certificate_of_it_is_left(
    plan: Plan, created: Vault
) -> None:
    old = created.file("grafana", "key.pem").read_bytes()
    replace(plan, created, Order(), Step.TRUST)
    replace(plan, created, Order(), Step.ISSUE)
    created.file("grafana", "key.pem").write_bytes(old)
    with pytest.raises(InputError, match=r"grafana/cert.pem  is still signed by the old authority"):
        replace(plan, created, Order(), Step.DROP)
    renew(plan, created, Order(), ("grafana",))
    replace(plan, created, Order(), Step.DROP)
    healthy(plan, created)


def test_an_issue_that_was_killed_half_way_is_done_again(
    plan: Plan, created: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loom.deploy.credentials import succession  # noqa: PLC0415 - only this test looks inside

    replace(plan, created, Order(), Step.TRUST)
    with monkeypatch.context() as patched:
        patched.setattr(succession, "_remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            replace(plan, created, Order(), Step.ISSUE)
    healthy(plan, created)
    assert turn_of(created) is Step.ISSUE
    replace(plan, created, Order(), Step.ISSUE)
    replace(plan, created, Order(), Step.DROP)
    healthy(plan, created)


def test_rotation_goes_on_with_names_added_by_hand_under_the_new_authority(plan: Plan, vault: Vault) -> None:
    create(plan, vault, Order(hosts=("telemetry.example",)))
    for step in Step:
        replace(plan, vault, Order(), step)
    assert "telemetry.example" in hosts(reading.certificates(vault.file("jaeger", "cert.pem"))[0])
    healthy(plan, vault)


def test_rotation_of_certificates_that_have_ended_works(
    plan: Plan, created: Vault, later: Callable[[int], datetime]
) -> None:
    renew(plan, created, Order(moment=later(200)))
    assert not [one.problems for one in inspect(plan, created, later(201)) if one.problems]
