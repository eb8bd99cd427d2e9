"""The wheel, as a user gets it: built once, run from outside the repository."""

import filecmp
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content; its dependencies come from the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        ["uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    subprocess.run(
        ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)],
        check=True,
        capture_output=True,
    )
    return target


def run(site: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )


def test_the_code_that_runs_is_the_wheels(site: Path, tmp_path: Path) -> None:
    done = run(site, tmp_path, "-c", "import loom; print(loom.__file__)")
    assert done.stdout.strip() == str(site / "loom" / "__init__.py")


@pytest.mark.parametrize("profile", ["dev", "prod"])
def test_the_wheel_renders_the_committed_files_from_its_own_blueprints_and_profiles(
    site: Path, tmp_path: Path, profile: str
) -> None:
    done = run(
        site, tmp_path, "-m", "loom.cli", "render", "--profile", profile, "--output", str(tmp_path / "out")
    )
    assert done.returncode == 0, done.stderr
    committed = ROOT / "generated" / profile
    names = [path.relative_to(committed).as_posix() for path in committed.rglob("*") if path.is_file()]
    assert len(names) > 20
    _, mismatch, errors = filecmp.cmpfiles(committed, tmp_path / "out", names, shallow=False)
    assert (mismatch, errors) == ([], [])


def test_the_wheel_carries_the_recipes_of_the_toolchain(site: Path) -> None:
    sums = sorted(
        path.parent.name for path in (site / "loom" / "deploy" / "toolchain" / "modules").glob("*/go.sum")
    )
    assert {"alertmanager", "jaeger", "otelcol", "prometheus"} <= set(sums)
