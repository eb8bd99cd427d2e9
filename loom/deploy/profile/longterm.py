"""The sections about metrics that leave this Prometheus: to stores, to a global one, to long-term storage.

Whatever proves who we are stands in files of `secrets/prometheus/`; only their names stand here.
"""

from itertools import combinations
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from loom.deploy.profile import forms
from loom.deploy.profile.quantity import Duration
from loom.deploy.profile.section import Name, SecretName, Section

MetricName = Annotated[str, StringConstraints(pattern=forms.METRIC)]
Url = Annotated[str, StringConstraints(pattern=forms.REMOTE)]
Folder = Annotated[str, StringConstraints(pattern=forms.FOLDER)]
User = Annotated[str, StringConstraints(pattern=forms.USER)]
_PROOFS = ("basic", "bearer_secret", "certificate")


def _both(one: str, two: str) -> JsonDict:
    something: JsonDict = {"not": {"type": "null"}}
    return {"properties": {one: something, two: something}, "required": [one, two]}


class Basic(Section):
    """User and password."""

    user: User
    """Who we are there."""
    password_secret: SecretName
    """Name of the secret that holds the password."""


class Certificate(Section):
    """A client certificate that the other side has issued."""

    cert_secret: SecretName
    """Name of the secret that holds the certificate."""
    key_secret: SecretName
    """Name of the secret that holds its key."""


class Remote(Section):
    """Somebody outside of this deployment, and how we prove who we are."""

    model_config = ConfigDict(
        json_schema_extra={"not": {"anyOf": [_both(*pair) for pair in combinations(_PROOFS, 2)]}}
    )

    name: Name
    """Our name for it."""
    url: Url
    """Where it answers; without user and password, and without a query."""
    basic: Basic | None = None
    """By user and password."""
    bearer_secret: SecretName | None = None
    """By a bearer token: name of the secret that holds it."""
    certificate: Certificate | None = None
    """By a client certificate."""
    ca_secret: SecretName | None = None
    """Name of the secret with the authority that signed its certificate; without it, those of the image."""

    @model_validator(mode="after")
    def _proven_once(self) -> "Remote":
        chosen = [key for key in _PROOFS if getattr(self, key) is not None]
        if len(chosen) > 1:
            kind, message = "both", "has both " + " and ".join(chosen)
            raise PydanticCustomError(kind, message, {"hint": "keep one of them"})
        return self

    @property
    def encrypted(self) -> bool:
        """Whether the way there is encrypted."""
        return self.url.startswith("https://")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the secrets that it needs."""
        named = (
            self.basic and self.basic.password_secret,
            self.bearer_secret,
            self.certificate and self.certificate.cert_secret,
            self.certificate and self.certificate.key_secret,
            self.ca_secret,
        )
        return tuple(name for name in named if name)


class RemoteWrite(Remote):
    """A store that every sample is sent to as soon as it is there."""

    version: Literal["1.0", "2.0"] = "1.0"
    """Of the remote-write protocol; 2.0 carries types, units and start times with the samples."""
    exemplars: bool = True
    """Whether exemplars are sent as well; with 2.0 they do not arrive."""
    series: Literal["all", "loom", "recorded"] = "all"
    """`all`: also the stack's about itself; `loom`: Loom's own; `recorded`: what rules computed ahead."""
    keep: tuple[MetricName, ...] = Field(default=(), strict=False)
    """Metrics of the contract that are sent, and no other of Loom's; empty for all."""
    drop: tuple[MetricName, ...] = Field(default=(), strict=False)
    """Metrics of the contract that are not sent."""


class Federation(Section):
    """Recorded series from other Prometheus servers, or to them."""

    sources: tuple[Remote, ...] = Field(default=(), strict=False)
    """Others that this one scrapes at /federate; by their address, without a path."""
    callers: tuple[Name, ...] = Field(default=(), strict=False)
    """Others that may scrape this one: each finds a password and the authority in `secrets/<name>`."""


class Resolutions(Section):
    """How long each resolution is kept."""

    raw: Duration = Duration.parse("90d")
    """Samples as they were scraped."""
    five_minutes: Duration = Duration.parse("1y")
    """One value every five minutes."""
    hour: Duration = Duration.parse("5y")
    """One value every hour."""


class Objects(Section):
    """Where blocks lie for long: a volume of this deployment when nothing is said."""

    directory: Folder | None = None
    """A folder of the machine, such as a mounted share; writable for the user 65534 of the containers."""
    config_secret: SecretName | None = None
    """Name of the secret that is Thanos' object storage configuration: S3, GCS, Azure, Swift and others."""


class Thanos(Section):
    """Blocks beyond Prometheus' own retention: sidecar, store, query and one compactor."""

    objstore: Objects = Objects()
    """Where the blocks lie."""
    retention: Resolutions = Resolutions()
    """How long they are kept."""


class Longterm(Section):
    """What keeps metrics for longer than Prometheus does."""

    thanos: Thanos | None = None
    """With Thanos; `{}` for a volume of this deployment."""
