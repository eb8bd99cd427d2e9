"""A cache of its own for every test, and a Go that compiles nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy.toolchain import RECIPES, FakeGo, Heard, Site
from loom.deploy.toolchain.go import Go


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Of a user whose PATH holds no program of ours."""
    (tmp_path / "path").mkdir()
    return {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": str(tmp_path / "path")}


@pytest.fixture
def fake() -> FakeGo:
    return FakeGo({name: recipe.program.version for name, recipe in RECIPES.items()})


@pytest.fixture
def site(environ: dict[str, str], fake: FakeGo) -> Site:
    return Site(environ, fake, Go(Path("/fake/go"), Path("/fake")))


@pytest.fixture
def on_path(tmp_path: Path) -> Callable[[str, str], Path]:
    """Puts a program on PATH that runs the given shell script."""

    def put(name: str, script: str) -> Path:
        file = tmp_path / "path" / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return put
