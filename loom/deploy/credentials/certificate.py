"""Certificates as data: an authority's own, and one of a party. No disk, no clock.

Keys are ECDSA on P-256: what Go, OpenSSL, BoringSSL (gRPC) and every browser take.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = CertificateIssuerPrivateKeyTypes

SKEW = timedelta(minutes=10)
"""How far in the past a certificate begins to be valid: clocks of other machines may be behind."""
ORGANIZATION = "loom-deploy"


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, moment: datetime, days: int) -> "Validity":
        """`days` from a moment on."""
        return cls(moment - SKEW, moment + timedelta(days=days))


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a leaf is for."""

    name: str
    """The party."""
    hosts: tuple[str, ...]
    """Names and addresses it is reached by, besides its own name."""
    server: bool
    client: bool


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs, and whom everybody trusts for it."""

    certificate: x509.Certificate
    """The one that signs."""
    key: Key
    chain: tuple[x509.Certificate, ...]
    """What a party sends along with its own: the signing one and those above it, but no root."""
    roots: tuple[x509.Certificate, ...]
    """What everybody trusts."""


def made_key() -> ec.EllipticCurvePrivateKey:
    """A new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def made_authority(hosts: Iterable[str], validity: Validity) -> Authority:
    """An authority of our own, good for these names and addresses and for no others.

    Whoever steals its key can therefore impersonate nothing else to those who trust it.
    """
    key, serial = made_key(), x509.random_serial_number()
    # The name differs from authority to authority: while one is replaced, both are trusted side by side.
    name = _named(f"authority {validity.start:%Y-%m-%d} {serial % 0xFFFFFF:06x}")
    builder = (
        _begun(name, name, validity, serial)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.NameConstraints(_permitted(hosts), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return Authority(certificate, key, (), (certificate,))


def signed(authority: Authority, subject: Subject, validity: Validity, key: Key) -> x509.Certificate:
    """A party's certificate for a key; it never outlives its authority."""
    issuer = authority.certificate
    end = min(validity.end, issuer.not_valid_after_utc)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH] * subject.server + [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ] * subject.client
    names = [_general(host) for host in dict.fromkeys((subject.name, *subject.hosts))]
    own = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key())
    builder = (
        _begun(
            _named(subject.name), issuer.subject, Validity(validity.start, end), x509.random_serial_number()
        )
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_identifier(issuer, own), critical=False)
    )
    return builder.sign(authority.key, hashes.SHA256())


def hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses a certificate is good for, in its order."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names if isinstance(name, (x509.DNSName, x509.IPAddress)))


def pem(certificates: Sequence[x509.Certificate]) -> bytes:
    """As text, one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def private(key: Key) -> bytes:
    """A key as text, not encrypted: programs must read it without anybody beside them."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def address(host: str) -> IPv4Address | IPv6Address | None:
    """A host that is an address; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _general(host: str) -> x509.GeneralName:
    found = address(host)
    return x509.DNSName(host) if found is None else x509.IPAddress(found)


def _permitted(hosts: Iterable[str]) -> list[x509.GeneralName]:
    """Each name with what is below it. No addresses: gRPC's BoringSSL refuses constraints of that kind."""
    return [x509.DNSName(host) for host in sorted(set(hosts)) if address(host) is None]


def _named(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _begun(subject: x509.Name, issuer: x509.Name, validity: Validity, serial: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(serial)
        .not_valid_before(validity.start)
        .not_valid_after(validity.end)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _identifier(issuer: x509.Certificate, fallback: x509.SubjectKeyIdentifier) -> x509.AuthorityKeyIdentifier:
    """The issuer's own identifier, as it states it."""
    try:
        stated = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        stated = fallback
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(stated)
