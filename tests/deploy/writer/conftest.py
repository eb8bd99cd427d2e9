"""Fixtures of the writer's tests: small sets of artifacts, and what a folder holds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy.artifacts.model import Artifact


def _artifact(path: str, text: str) -> Artifact:
    return Artifact(path, text, "A file.")


@pytest.fixture
def artifacts() -> Callable[..., tuple[Artifact, ...]]:
    """Artifacts from `path=text` pairs."""
    return lambda files: tuple(_artifact(path, text) for path, text in files.items())


@pytest.fixture
def first() -> tuple[Artifact, ...]:
    """A first version of a profile."""
    texts = {
        "prometheus.yml": "scrape: 15s\n",
        "rules/loom.yml": "groups: [a]\n",
        "grafana/dashboards/loom-overview.json": "{}\n",
        "old/gone.yml": "gone\n",
    }
    return tuple(_artifact(path, text) for path, text in texts.items())


@pytest.fixture
def second() -> tuple[Artifact, ...]:
    """The next version: one file changed, one the same, one new, one gone."""
    texts = {
        "prometheus.yml": "scrape: 5s\n",
        "rules/loom.yml": "groups: [a]\n",
        "grafana/dashboards/loom-overview.json": '{"panels": []}\n',
        "new/deep/file.yml": "new\n",
    }
    return tuple(_artifact(path, text) for path, text in texts.items())


@pytest.fixture
def held() -> Callable[[Path], dict[str, str]]:
    """Path below a folder → text, of everything in it but the manifest."""

    def read(folder: Path) -> dict[str, str]:
        return {
            path.relative_to(folder).as_posix(): path.read_text()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".loom-manifest.json"
        }

    return read
