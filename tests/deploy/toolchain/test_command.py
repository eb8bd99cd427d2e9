"""`loom-deploy toolchain`, as it is typed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy.toolchain import RECIPES


@pytest.fixture
def run(environ: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "loom.cli", "toolchain", *arguments],
            env={**environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


Run = Callable[..., subprocess.CompletedProcess[str]]
Put = Callable[[str, str], Path]


def test_path_prints_the_path_and_nothing_else(run: Run, on_path: Put) -> None:
    binary = on_path("jaeger", "echo jaeger version v2.13.0")
    done = run("path", "jaeger")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{binary}\n", "")


def test_path_of_a_missing_program_exits_4_and_says_what_to_do(run: Run) -> None:
    done = run("path", "jaeger")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "error: jaeger 2.13.0 is not installed (run: loom-deploy toolchain install)\n"


def test_an_unknown_program_is_wrong_usage(run: Run) -> None:
    assert run("path", "grafana").returncode == 2


def test_list_shows_every_program_found_or_missing(run: Run, on_path: Put) -> None:
    on_path("jaeger", "echo jaeger version v2.13.0")
    done = run("list")
    rows = {line.split()[0]: line.split()[1:4] for line in done.stdout.splitlines()[1:]}
    assert list(rows) == list(RECIPES)
    assert rows["jaeger"] == ["2.13.0", "2.13.0", "path"]
    assert rows["promtool"] == ["3.16.0", "-", "missing"]


def test_install_of_what_is_on_path_says_where_it_is(run: Run, on_path: Put) -> None:
    binary = on_path("jaeger", "echo jaeger version v2.13.0")
    done = run("install", "jaeger", "jaeger")
    assert (done.returncode, done.stdout) == (0, f"jaeger 2.13.0  {binary}\n")
