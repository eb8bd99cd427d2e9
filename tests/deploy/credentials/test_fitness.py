"""Names and keys that certificates can be made of, and what is said of others."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.certificate import Key, pem, private
from loom.deploy.credentials.inspection import inspect
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.rotation import renew
from loom.deploy.credentials.succession import Step, replace
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.model import Plan
from loom.errors import InputError, ProfileError


def own_authority(folder: Path, key: Key) -> Order:
    """To sign with an authority that has this key."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "own")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=365))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    (folder / "ca.pem").write_bytes(pem((builder.sign(key, digest),)))
    (folder / "ca.key").write_bytes(private(key))
    return Order(ca=folder / "ca.pem", ca_key=folder / "ca.key")


@pytest.mark.parametrize(
    "host",
    ["host:4317", "a::b::c", "", "a b", "*.example.com", "1.2.3.4/24", "a..b", "-a", f"{'a' * 64}.example"],
)
def test_what_is_no_host_is_refused(plan: Plan, vault: Vault, host: str) -> None:
    with pytest.raises(InputError, match="neither a host name nor an address"):
        create(plan, vault, Order(hosts=(host,)))


def test_a_name_that_is_not_ascii_is_refused_with_the_way_to_write_it(plan: Plan, created: Vault) -> None:
    order = Order(hosts=("müller.example",))
    for act in (create, renew, partial(replace, step=Step.TRUST)):
        with pytest.raises(InputError, match=r"müller.example: is neither .*xn--"):
            act(plan, created, order)


def test_a_host_of_the_profile_that_no_certificate_can_be_for_is_refused(
    variant: Callable[[str], Plan],
) -> None:
    with pytest.raises(ProfileError, match=r":\d+:\d+  \S+hosts\[0\]: 'a\.\.b' is neither a host name nor"):
        variant("security: {tls: {hosts: [a..b]}}")


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (ec.generate_private_key(ec.SECP256K1()), "ECDSA on secp256k1"),
        (rsa.generate_private_key(65537, 1024), "RSA of 1024 bits"),  # noqa: S505 - what is refused
    ],
)
def test_an_authority_whose_key_programs_do_not_take_is_refused(
    plan: Plan, vault: Vault, tmp_path: Path, key: Key, kind: str
) -> None:
    order = own_authority(tmp_path, key)
    with pytest.raises(InputError, match=rf"ca\.pem  {kind} is no key that all programs take \(take ECDSA"):
        create(plan, vault, order)
    assert not (vault.folder / "jaeger").exists()


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP521R1()), rsa.generate_private_key(65537, 2048)]
)
def test_an_authority_of_another_usual_kind_signs(plan: Plan, vault: Vault, tmp_path: Path, key: Key) -> None:
    create(plan, vault, own_authority(tmp_path, key))
    assert not [one.problems for one in inspect(plan, vault) if one.problems]


def test_a_key_of_ones_own_that_programs_do_not_take_is_refused(plan: Plan, vault: Vault) -> None:
    place = vault.file("jaeger", "key.pem")
    place.parent.mkdir()
    place.write_bytes(private(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(InputError, match=r"jaeger/key\.pem  Ed25519 is no key"):
        create(plan, vault, Order())
