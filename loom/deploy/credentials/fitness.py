"""What certificates can be made of: names that stand in one, and keys that programs take."""

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from loom.deploy.plan.model import Plan
from loom.deploy.profile.hosts import STRANGE, is_host
from loom.errors import InputError, Problem

_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_BITS = 2048


def strange(plan: Plan, hosts: Sequence[str]) -> list[Problem]:
    """One problem for each further host, of the profile or asked for, that no certificate can be for."""
    every = dict.fromkeys((*hosts, *plan.profile.security.tls.hosts))
    return [_strange(host) for host in every if not is_host(host)]


def require_names(plan: Plan, hosts: Sequence[str]) -> None:
    """InputError with every such problem."""
    if problems := strange(plan, hosts):
        raise InputError(*problems)


def require_key(public: object, file: Path) -> None:
    """InputError when a public key, or that of a private key in `file`, is of a kind that programs refuse."""
    taken = (isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _CURVES) or (
        isinstance(public, rsa.RSAPublicKey) and public.key_size >= _BITS
    )
    if not taken:
        hint = f"take ECDSA on P-256, P-384 or P-521, or RSA of at least {_BITS} bits"
        raise InputError(Problem(f"{_kind(public)} is no key that all programs take", str(file), hint=hint))


def require_keys(certificates: Sequence[x509.Certificate], file: Path) -> None:
    """The same for each certificate of a file."""
    for one in certificates:
        require_key(one.public_key(), file)


def _strange(host: str) -> Problem:
    hint = "" if host.isascii() else "write it in its ASCII form, which begins with xn--"
    return Problem(STRANGE, path=host or "''", hint=hint)


def _kind(public: object) -> str:
    if isinstance(public, ec.EllipticCurvePublicKey):
        return f"ECDSA on {public.curve.name}"
    if isinstance(public, rsa.RSAPublicKey):
        return f"RSA of {public.key_size} bits"
    return type(public).__name__.removeprefix("_").removesuffix("PublicKey")
