"""The seam to a container engine: the few things that images need of it, and Docker itself."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from loom.deploy.images.model import Present
from loom.errors import EngineError, Problem

if TYPE_CHECKING:
    from python_on_whales import DockerClient

Answer = TypeVar("Answer")

INSTALL = "install a Docker Engine (Debian: apt-get install docker.io), or take: --engine native"
START = "start it (systemctl start docker), or point DOCKER_HOST at one that runs"
ENOUGH = 12
"""Lines of Docker's own words that an error quotes."""


class Daemon(Protocol):
    """What images need of an engine. Whatever it cannot do is an EngineError with its own words."""

    def platform(self) -> str:
        """`linux/amd64`: what its containers run on."""

    def inspect(self, reference: str) -> Present | None:
        """The image of that reference or id, None when there is none."""

    def build(self, context: Path, tag: str, labels: Mapping[str, str], arguments: Mapping[str, str]) -> None:
        """Build the folder's Dockerfile; the tag is set when all of it is done."""

    def import_archive(self, archive: Path, tag: str, changes: Sequence[str]) -> None:
        """Make an image of a tar archive of its files, with instructions such as `CMD ["python3"]`."""

    def answer(self, reference: str, *command: str) -> str:
        """Standard output of a command in a container of the image, which is removed afterwards."""

    def tag(self, reference: str, other: str) -> None:
        """Give an image a further reference."""

    def remove(self, identity: str) -> None:
        """Remove an image that nothing refers to or uses; any other stays, without error."""

    def pull(self, reference: str) -> None:
        """Pull an image from its registry."""

    def push(self, reference: str) -> None:
        """Push an image to the registry that its reference names."""

    def save(self, references: Sequence[str], archive: Path) -> None:
        """Write the images, with their references, into a tar archive."""

    def load(self, archive: Path) -> None:
        """Take the images of an archive in."""


class Docker:
    """Docker, through its command line client."""

    def __init__(self, client: "DockerClient") -> None:
        """Take the client; see `connect`."""
        self._client = client

    def platform(self) -> str:
        """See `Daemon.platform`."""
        server = _asked(self._client.version, "tell its version").server
        return f"{server.os}/{server.arch}" if server else ""

    def inspect(self, reference: str) -> Present | None:
        """See `Daemon.inspect`."""
        from python_on_whales.exceptions import NoSuchImage  # noqa: PLC0415 - late: it is slow to import

        try:
            image = _asked(lambda: self._client.image.inspect(reference), f"inspect {reference}", NoSuchImage)
        except NoSuchImage:
            return None
        return Present(image.id, image.size, image.config.labels or {}, tuple(image.repo_digests or ()))

    def build(self, context: Path, tag: str, labels: Mapping[str, str], arguments: Mapping[str, str]) -> None:
        """See `Daemon.build`. By BuildKit where Docker has it, else by the classic builder."""
        _asked(
            lambda: self._client.legacy_build(context, build_args=arguments, labels=labels, tags=tag),
            f"build {tag}",
        )

    def import_archive(self, archive: Path, tag: str, changes: Sequence[str]) -> None:
        """See `Daemon.import_archive`."""
        _asked(lambda: self._client.image.import_(archive, tag, changes), f"import {tag}")

    def answer(self, reference: str, *command: str) -> str:
        """See `Daemon.answer`."""
        entrypoint, *rest = command
        run = self._client.run
        return str(
            _asked(
                lambda: run(reference, rest, entrypoint=entrypoint, remove=True, networks=["none"]),
                f"run {reference}",
            )
        )

    def tag(self, reference: str, other: str) -> None:
        """See `Daemon.tag`."""
        _asked(lambda: self._client.image.tag(reference, other), f"tag {other}")

    def remove(self, identity: str) -> None:
        """See `Daemon.remove`."""
        from python_on_whales.exceptions import DockerException  # noqa: PLC0415 - late, as above

        # Docker itself would take the only name of an image for consent; and a container may still use it.
        with suppress(DockerException):
            image = self._client.image.inspect(identity)
            if not image.repo_tags:
                image.remove()

    def pull(self, reference: str) -> None:
        """See `Daemon.pull`."""
        _asked(lambda: self._client.image.pull(reference, quiet=True), f"pull {reference}")

    def push(self, reference: str) -> None:
        """See `Daemon.push`."""
        _asked(lambda: self._client.image.push(reference, quiet=True), f"push {reference}")

    def save(self, references: Sequence[str], archive: Path) -> None:
        """See `Daemon.save`."""
        _asked(lambda: self._client.image.save(list(references), archive), "save the images")

    def load(self, archive: Path) -> None:
        """See `Daemon.load`."""
        _asked(lambda: self._client.image.load(archive, quiet=True), "load the images")


def connect(environ: Mapping[str, str] | None = None) -> Docker:
    """The machine's Docker; EngineError when there is none, or its engine does not answer."""
    surroundings = os.environ if environ is None else environ
    found = shutil.which("docker", path=surroundings.get("PATH", ""))
    if found is None:
        raise EngineError(Problem("there is no `docker` on this machine", hint=INSTALL))
    # Late: `images --help` and machines without Docker need none of it.
    from python_on_whales import DockerClient  # noqa: PLC0415 - the comment above

    docker = Docker(DockerClient(client_call=[found]))
    docker.platform()
    return docker


def _asked(ask: Callable[[], Answer], what: str, *expected: type[Exception]) -> Answer:
    """The answer; EngineError in Docker's own words, except for what the caller expects."""
    from python_on_whales.exceptions import DockerException  # noqa: PLC0415 - late, as above

    try:
        return ask()
    except expected:
        raise
    except DockerException as error:
        raise EngineError(_problem(what, (error.stderr or error.stdout or "").strip())) from None


def _problem(what: str, said: str) -> Problem:
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("DEPRECATED")]
    words = "\n".join(lines[-ENOUGH:]) or "nothing"
    unreachable = "Cannot connect to the Docker daemon" in said or "permission denied" in said
    hint = START if unreachable else ""
    hint = hint or ("make room: docker system df" if "no space left" in said else "")
    return Problem(f"Docker could not {what}; it said: {words}", hint=hint)
