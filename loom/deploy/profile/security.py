"""The section about transport security, authentication and hardening.

Secrets never stand in a profile: they are files below `secrets/`, a folder for each party, beside what is
rendered. `loom-deploy certs` and `loom-deploy secrets` make them.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from loom.deploy.profile import forms
from loom.deploy.profile.hosts import STRANGE, is_host
from loom.deploy.profile.section import Section
from loom.deploy.profile.spelling import show


def _host(text: str) -> str:
    if not is_host(text):
        kind, message = "host", f"{{value}} {STRANGE}"
        facts = {"value": show(text), "hint": "write one such as loom.example.org, without a port"}
        raise PydanticCustomError(kind, message, facts)
    return text


Host = Annotated[str, StringConstraints(pattern=forms.HOST), AfterValidator(_host)]


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        kind, message = "day", "there is no such day"
        raise PydanticCustomError(kind, message, {"hint": "write a day such as 2027-05-31"}) from error
    return text


Day = Annotated[str, StringConstraints(pattern=forms.DAY), AfterValidator(_day)]


class Tls(Section):
    """Transport security between the parts."""

    mode: Literal["off", "mutual"] = "off"
    """`off` is plain text; `mutual`: TLS on every hop, and programs know each other by their certificates."""
    minimum: Literal["1.2", "1.3"] = "1.3"
    """The oldest version of TLS that is spoken."""
    hosts: tuple[Host, ...] = Field(default=(), strict=False)
    """Further names and addresses by which clients on other machines reach what is published."""


class Waiver(Section):
    """Leave for one edge to be less than encrypted and authenticated, until a day."""

    edge: Annotated[str, StringConstraints(pattern=forms.EDGE)]
    """As `loom-deploy plan` names it: `prometheus -> jaeger:telemetry`."""
    reason: Annotated[str, StringConstraints(pattern=forms.REASON)]
    """Why it cannot be otherwise, and what holds instead."""
    until: Day
    """The last day of its validity, as 2027-05-31; `up` refuses to start after it."""


class Security(Section):
    """Transport security, authentication, hardening."""

    tls: Tls = Tls()
    """On every hop."""
    ingestion: Literal["certificate", "token"] = "certificate"
    """How Loom proves itself to the collector: by its client certificate, or by a bearer token."""
    authentication: Literal["off", "basic"] = "off"
    """`basic`: nobody reads or writes without a password, or a certificate between programs."""
    hardened: bool = False
    """Read-only containers on networks of their own, with only the needed ports published."""
    waivers: tuple[Waiver, ...] = Field(default=(), strict=False)
    """Edges that may be less than encrypted and authenticated."""
