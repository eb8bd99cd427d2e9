"""What a server knows its callers by, as text: Prometheus' and Alertmanager's web configuration, Caddy's.

Pure. The form is fixed, so that a text says by itself whether it is up to date.
"""

from collections.abc import Mapping
from typing import Literal

import yaml

from loom.deploy.plan.identity import CERTIFICATE, KEY, Kind

_HEAD = "# Written by `loom-deploy secrets init` from the callers' passwords; what is changed here is lost.\n"
_HEADERS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "deny"}
"""Strict-Transport-Security is not among them: on localhost it would hold for every other port there too."""
Minimum = Literal["1.2", "1.3"]


def written(kind: Kind, known: Mapping[str, str], minimum: Minimum, *, encrypted: bool) -> str:
    """The text of a WEB or USERS file for these callers, name -> bcrypt."""
    if kind is Kind.USERS:
        return _HEAD + "".join(f"{name} {kept}\n" for name, kept in sorted(known.items()))
    document: dict[str, object] = {}
    if encrypted:
        document["tls_server_config"] = {
            "cert_file": CERTIFICATE,
            "key_file": KEY,
            "min_version": f"TLS{minimum.replace('.', '')}",
        }
    document["http_server_config"] = {"http2": encrypted, "headers": _HEADERS}
    if known:
        document["basic_auth_users"] = dict(sorted(known.items()))
    return _HEAD + yaml.safe_dump(document, sort_keys=False)


def known(kind: Kind, text: str) -> dict[str, str]:
    """Name -> bcrypt of such a text; empty when it is none."""
    if kind is Kind.USERS:
        rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
        return {row[0]: row[1] for row in rows if len(row) == 2}
    try:
        users = yaml.safe_load(text)["basic_auth_users"]
        return {str(name): str(kept) for name, kept in users.items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}
