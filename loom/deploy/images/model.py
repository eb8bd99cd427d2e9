"""Images as data: where each is from, what a deployment wants, what a stand-in for one consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from loom.deploy.programs import Program

LABEL = "dev.loom.deploy.image"
"""Prefix of the labels that our images carry."""
CONTENT = f"{LABEL}.content"
"""Label: sha256 of everything an image was made from."""
SOURCE = f"{LABEL}.source"
"""Label: `module@version` that its program was built from; only images of ours have it."""


class Origin(StrEnum):
    """How an image came to this machine."""

    PULLED = "pulled"
    """From a registry."""
    LOADED = "loaded"
    """From an archive; not built by us."""
    BUILT = "built here"
    """By `images build`, here or where a bundle was made: never the upstream project's own."""
    MISSING = "missing"


class Pin(StrEnum):
    """What the profile's lock file says of an image."""

    NONE = "not pinned"
    HERE = "pinned"
    """The image that is here is the pinned one."""
    ABSENT = "pinned, not here"
    """The pinned image is not here, whatever stands under its tag."""


@dataclass(frozen=True, slots=True)
class Present:
    """An image in the daemon."""

    id: str
    """`sha256:…` of its configuration."""
    size: int
    """Bytes, with the layers that it shares."""
    labels: Mapping[str, str] = field(default_factory=dict)
    digests: tuple[str, ...] = ()
    """`name@sha256:…` of the registries that it was pulled from or pushed to."""

    @property
    def origin(self) -> Origin:
        """A label of ours says more than a digest: an image of ours has one too once it was pushed."""
        if SOURCE in self.labels:
            return Origin.BUILT
        return Origin.PULLED if self.digests else Origin.LOADED


@dataclass(frozen=True, slots=True)
class Wanted:
    """One image that a deployment needs."""

    service: str
    """Its compose service: `prometheus`."""
    program: Program
    """As the plan has it: pinned or not."""
    upstream: Program
    """The same program, never pinned."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a deployment as it stands on this machine."""

    service: str
    reference: str
    """As the compose file names it."""
    origin: Origin
    pin: Pin
    id: str = ""
    size: int = 0
    """Bytes."""
    source: str = ""
    """`module@version` of an image of ours, empty for others."""


@dataclass(frozen=True, slots=True)
class Standin:
    """An upstream image as far as a compose file can see it, to be made from one static program or two."""

    program: Program
    files: tuple[tuple[Program, str], ...]
    """(program, its path in the image); the first is the entry point."""
    user: str
    """As upstream's image says it; empty where it says none, which is root."""
    ports: tuple[int | str, ...] = ()
    """As upstream's image says them: `443`, `"443/udp"`."""
    arguments: tuple[str, ...] = ()
    """What the entry point gets when compose gives no command."""
    entered: bool = True
    """Whether the program is the entry point; if not, the arguments, and compose's command, begin with it."""
    home: str = ""
    """Working folder, made for its owner; empty when upstream's image has none."""
    owner: str = ""
    """`uid:gid` of that folder."""
    volumes: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    shared: tuple[str, ...] = ("/tmp",)  # noqa: S108 - a folder in an image
    """Folders that everybody may write to."""

    @property
    def entrypoint(self) -> str:
        """Path of the program."""
        return self.files[0][1]


class Action(StrEnum):
    """What `images build` did about one image."""

    BUILT = "built"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """An image that is not of ours stands under the reference, and stays."""
    IMPOSSIBLE = "cannot be built"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one image."""

    service: str
    reference: str
    action: Action
    detail: str = ""
    seconds: float = 0.0
