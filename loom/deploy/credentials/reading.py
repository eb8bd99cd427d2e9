"""Certificates and keys read back from the disk; what cannot be read is an InputError that names the file."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification

from loom.deploy.credentials.certificate import Authority, Key
from loom.errors import InputError, Problem

Certificates = tuple[x509.Certificate, ...]


def certificates(path: Path) -> Certificates:
    """Every certificate of a file, at least one."""
    data = _read(path)
    try:
        return tuple(x509.load_pem_x509_certificates(data))
    except ValueError as error:
        raise InputError(Problem("is no certificate in PEM form", str(path))) from error


def key(path: Path) -> Key:
    """A private key that can sign."""
    data = _read(path)
    try:
        found = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        # The library's own words are not passed on: nothing of a key is to be in a message.
        hint = "PEM without a password: programs read it by themselves"
        raise InputError(Problem("is no private key that can be read", str(path), hint=hint)) from error
    return cast("Key", found)


def authority(ca: Path, key_file: Path) -> Authority:
    """Who signs, from the file of its certificate (with those above it, if any) and the file of its key."""
    found, private = certificates(ca), key(key_file)
    signing = [one for one in found if belong(one, private)]
    roots = tuple(one for one in found if one.issuer == one.subject)
    if not signing:
        hint = f"it is the key of none of the certificates in {ca}"
        raise InputError(Problem("is not the authority's key", str(key_file), hint=hint))
    if not roots:
        hint = "add the root below it, so that programs know whom to trust"
        raise InputError(Problem("holds no self-signed root", str(ca), hint=hint))
    if not _may_sign(signing[0]):
        hint = "its basic constraints must say CA:TRUE"
        raise InputError(Problem("is no certificate of an authority", str(ca), hint=hint))
    return Authority(signing[0], private, tuple(one for one in found if one not in roots), roots)


def belong(certificate: x509.Certificate, private: Key) -> bool:
    """Whether a key is that of a certificate."""
    return certificate.public_key() == private.public_key()


def verifies(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], moment: datetime) -> bool:
    """Whether a certificate, with those sent along with it, leads to one of the roots that is valid now.

    Signatures, and the names that the authority may sign. When the certificate itself ends is a question of
    its own: outside its time it is judged as of its last moment.
    """
    leaf = chain[0]
    within = leaf.not_valid_before_utc <= moment <= leaf.not_valid_after_utc
    permit = verification.ExtensionPolicy.permit_all()
    authorities = permit.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
    policy = (
        verification.PolicyBuilder()
        .store(verification.Store(list(roots)))
        .time(moment if within else leaf.not_valid_after_utc)
        # People's own certificates may lack what the public web asks for; programs do not ask for it.
        .extension_policies(ca_policy=authorities, ee_policy=permit)
    )
    try:
        policy.build_client_verifier().verify(leaf, list(chain[1:]))
    except verification.VerificationError:
        return False
    return True


def issued(certificate: x509.Certificate, by: Sequence[x509.Certificate]) -> bool:
    """Whether one of these signed it."""
    for one in by:
        try:
            certificate.verify_directly_issued_by(one)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(Problem(f"cannot be read: {reason}", str(path))) from error
