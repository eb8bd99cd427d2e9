"""The rendered files: what was rendered, and what lies there now."""

from collections.abc import Mapping
from pathlib import Path

from loom.deploy.artifacts.render import render
from loom.deploy.drift.live.evidence import File
from loom.deploy.engine.deployment import Deployment
from loom.deploy.writer import MANIFEST, Manifest
from loom.deploy.writer.manifest import digest
from loom.errors import DriftError, Problem


def read(deployment: Deployment) -> dict[str, File]:
    """Path below the rendered folder → file; DriftError when the manifest cannot be read."""
    folder = deployment.home.rendered
    digests = _manifest(folder).digests
    texts = {artifact.path: artifact.text for artifact in render(deployment.plan)}
    return {path: _file(folder / path, wanted, texts.get(path)) for path, wanted in digests.items()}


def rendered(now: str | None, again: str | None, wanted: str) -> str:
    """What was rendered: the file itself where its digest is the recorded one, else the same rendered again.

    Another version of loom-deploy may render otherwise today; what nobody has touched is therefore believed.
    """
    if now is not None and digest(now) == wanted:
        return now
    return again if again is not None else ""


def _manifest(folder: Path) -> Manifest:
    place = folder / MANIFEST
    try:
        return Manifest.parse(place.read_text())
    except (OSError, ValueError) as error:
        hint = "loom-deploy up renders it anew"
        raise DriftError(Problem(f"cannot be read: {error}", str(place), hint=hint)) from error


def _file(place: Path, wanted: str, again: str | None) -> File:
    try:
        now, changed = place.read_text(errors="replace"), place.stat().st_mtime
    except OSError:
        now, changed = None, 0.0
    return File(rendered(now, again, wanted), now, changed)


def texts(files: Mapping[str, File]) -> dict[str, str]:
    """Path → what was rendered."""
    return {path: file.rendered for path, file in files.items()}
