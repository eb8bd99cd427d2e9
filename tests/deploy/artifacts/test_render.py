"""The whole render: complete, deterministic, parsed back."""

import subprocess
import sys
from importlib import import_module

import pytest

from loom.deploy.artifacts import Artifact, Check, parse, render
from loom.deploy.plan import Plan

FILES = {
    ".env",
    "alertmanager.yml",
    "docker-compose.observability.yaml",
    "jaeger.yaml",
    "otel-collector-config.yaml",
    "prometheus.yml",
    "prometheus/rules/loom-alerts.yaml",
    "prometheus/rules/loom-recording.yaml",
    "prometheus/rules/pipeline-alerts.yaml",
    "prometheus/tests/loom-alerts-test.yaml",
    "prometheus/tests/pipeline-alerts-test.yaml",
    "native/alertmanager.yml",
    "native/jaeger.yaml",
    "native/otel-collector-config.yaml",
    "native/prometheus.yml",
    "native/supervisord.conf",
    "QUICKSTART.md",
    "METRICS.md",
    "FILES.md",
}


def test_a_profile_has_the_documented_files(plan: Plan) -> None:
    assert {artifact.path for artifact in render(plan)} >= FILES


def test_every_file_has_a_description_and_is_listed(plan: Plan) -> None:
    artifacts = render(plan)
    listing = next(artifact.text for artifact in artifacts if artifact.path == "FILES.md")
    for artifact in artifacts:
        assert artifact.description.endswith("."), artifact.path
        assert artifact.path.rpartition("/")[2] in listing, artifact.path


def test_the_same_profile_gives_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib\n"
        "from loom.deploy import plan, profile\n"
        "from loom.deploy.artifacts import render\n"
        "files = render(plan.derive(profile.load('prod')))\n"
        "print(hashlib.sha256(repr(files).encode()).hexdigest())\n"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yaml", "a: [1\n"),
        ("a.yml", "a: 1\na: 2\n"),
        ("a.json", "{,}\n"),
        ("a.conf", "[a]\nx=1\nx=2\n"),
        (".env", "not a pair\n"),
        ("a.md", "no newline"),
    ],
)
def test_a_text_that_cannot_be_read_back_is_refused_with_its_path(path: str, text: str) -> None:
    with pytest.raises(ValueError, match=path.replace(".", r"\.")):
        parse(Artifact(path, text, "A file.", Check.NONE))


def test_two_files_of_one_path_are_refused(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("loom.deploy.artifacts.render")
    monkeypatch.setattr(module, "SIBLINGS", ("jaeger", "jaeger"))
    monkeypatch.setattr(module, "LAST", ())
    with pytest.raises(ValueError, match=r"rendered twice: jaeger\.yaml"):
        render(plan)
