"""Names and addresses of machines, as far as a certificate can be for them."""

import re
from ipaddress import ip_address

from loom.deploy.profile import forms

STRANGE = "is neither a host name nor an address"
"""What is said of any other text."""
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def is_host(text: str) -> bool:
    """Whether it is a host name or an address."""
    return _is_address(text) or _is_name(text)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    # A colon stands in addresses only, which this is none of.
    return bool(re.fullmatch(forms.HOST, text)) and all(map(_LABEL.fullmatch, text.split(".")))
