"""What tests of telemetry and runtime share: asyncio, a capture, and a real OTLP receiver in this process.

The option of the smoke tests is here too: pytest reads options from its first conftests only.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import settings

from loom.receiver import Recorder, recording
from loom.telemetry.capture import Capture, capture

# How long an example takes is the machine's business, and other people work on it.
settings.register_profile("house", settings.default, deadline=None)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        default="native",
        choices=("native", "compose"),
        help="the engine that the deployments of the smoke tests run on (default: native)",
    )


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def captured() -> Iterator[Capture]:
    with capture() as one:
        yield one


@pytest.fixture
def receiver() -> Iterator[Recorder]:
    with recording() as one:
        yield one


class Issuer:
    """An authority, and the certificates it issues: a folder for each party, as deployments have them."""

    def __init__(self, folder: Path) -> None:
        """A new key, and a certificate that vouches for itself; `folder` is made when it is needed."""
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority {id(self)}")])
        self.certificate = self._sign(self._name, self._key, dt.timedelta(days=2), ca=True)

    def issue(self, party: str, ends_in: dt.timedelta = dt.timedelta(days=1), trusted: bytes = b"") -> Path:
        """A new certificate and key for localhost, and whom to trust; each file replaced by a rename."""
        key = ec.generate_private_key(ec.SECP256R1())
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
        home = self.folder / party
        home.mkdir(exist_ok=True, parents=True)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.put(home / "ca.pem", trusted or self.certificate)
        self.put(home / "key.pem", secret)
        self.put(home / "cert.pem", self._sign(own, key, ends_in, ca=False))
        return home

    @staticmethod
    def put(file: Path, content: bytes) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(file)

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends_in: dt.timedelta, *, ca: bool
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + ends_in)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Callable[[str], Issuer]:
    """A new authority with a folder of that name below."""
    return lambda name: Issuer(tmp_path / name)
