"""What is shown in an attempt: the credentials of a caller that may come in, with one thing made wrong."""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import ADMIN, PASSWORD, TOKEN
from loom.deploy.plan.model import Edge, Method, Service
from loom.deploy.verify.intrusion.attempt import Attempt
from loom.deploy.verify.intrusion.knock import Hand

Shown = tuple[Hand, str]
"""While shaking hands, and the header Authorization of what is asked then."""
_FALSE = "not-the-secret"
_ROOT = "admin"
"""Grafana's first user."""
_OLD = {Attempt.TLS_1_0: ssl.TLSVersion.TLSv1, Attempt.TLS_1_2: ssl.TLSVersion.TLSv1_2}
_SILENT = frozenset({Attempt.NO_PASSWORD, Attempt.NO_TOKEN})
_LYING = frozenset({Attempt.WRONG_PASSWORD, Attempt.WRONG_TOKEN})


def right(vault: Vault, edge: Edge) -> Shown:
    """What the caller of an edge shows; OSError when its password or token cannot be read."""
    authority, certificate, key = vault.identity(edge.source)
    hand = Hand(authority, certificate, key) if edge.method is Method.CERTIFICATE else Hand(authority)
    return hand, _authorization(edge, _secret(vault, edge))


def false(attempt: Attempt, edge: Edge, shown: Shown, forged: Mapping[Attempt, Path]) -> Shown:
    """The same with one thing wrong; KeyError when that certificate could not be forged."""
    hand, authorization = shown
    if attempt is Attempt.PLAIN:
        return Hand(None), authorization
    if attempt in _OLD:
        return replace(hand, newest=_OLD[attempt]), authorization
    if attempt in _SILENT:
        return hand, ""
    if attempt in _LYING:
        return hand, _authorization(edge, _FALSE)
    certificate = None if attempt is Attempt.NO_CERTIFICATE else forged[attempt]
    return replace(hand, certificate=certificate, key=None), authorization


def _secret(vault: Vault, edge: Edge) -> str:
    places = {
        Method.PASSWORD: (edge.source, PASSWORD),
        Method.TOKEN: (edge.source, TOKEN),
        Method.LOGIN: (str(Service.GRAFANA), ADMIN),
    }
    return vault.file(*places[edge.method]).read_text().strip() if edge.method in places else ""


def _authorization(edge: Edge, secret: str) -> str:
    if edge.method is Method.TOKEN:
        return f"Bearer {secret}"
    if edge.method not in {Method.PASSWORD, Method.LOGIN}:
        return ""
    user = _ROOT if edge.method is Method.LOGIN else edge.source
    return f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"
