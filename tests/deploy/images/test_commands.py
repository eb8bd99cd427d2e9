"""`loom-deploy images`: what it says, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loom.cli import images_build, images_list, images_load, images_lock, images_save
from loom.cli.images import COMMANDS, command
from loom.deploy.images import FakeDaemon, Present, builder, connect
from loom.deploy.programs import GRAFANA, JAEGER, LOOM
from loom.errors import EngineError

REPOSITORY = Path(__file__).parents[3]
HEX = "d" * 64


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    """The engine that the commands find."""
    fake = FakeDaemon(
        {JAEGER.tagged: Present("sha256:" + HEX, 82_000_000, {}, (f"{JAEGER.image}@sha256:{HEX}",))}
    )
    for module in (images_build, images_list, images_load, images_lock, images_save):
        monkeypatch.setattr(module, "connect", lambda: fake)
    return fake


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\n")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments])


def test_every_command_has_its_help() -> None:
    listing = run("--help").output
    for name in COMMANDS:
        assert name in listing
        assert run(name, "--help").exit_code == 0


def test_the_group_loads_no_docker_library() -> None:
    script = (
        "import sys, loom.cli.images\nprint('python_on_whales' in sys.modules, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_machine_without_docker_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"there is no `docker`.*install a Docker Engine") as caught:
        connect({"PATH": str(tmp_path)})
    assert caught.value.exit_code == 4


def test_an_engine_that_does_not_answer_is_told_with_docker_s_words(tmp_path: Path) -> None:
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon at nowhere' >&2; exit 1\n")
    client.chmod(0o755)
    with pytest.raises(EngineError, match=r"Cannot connect to the Docker daemon at nowhere.*start it"):
        connect({"PATH": str(tmp_path)})


def test_the_list_shows_what_is_here_and_what_is_not(daemon: FakeDaemon, profile: Path) -> None:
    del daemon
    lines = run("list", "--profile", profile).output.splitlines()
    jaeger = next(line for line in lines if line.startswith("jaeger"))
    assert all(part in jaeger for part in (JAEGER.tagged, "pulled", "not pinned", "dddddddddddd", "82 MB"))
    assert "missing" in next(line for line in lines if line.startswith("grafana"))


def test_the_list_is_had_as_json_too(daemon: FakeDaemon, profile: Path) -> None:
    del daemon
    rows = json.loads(run("list", "--profile", profile, "--service", "jaeger", "--json").output)
    assert [(row["service"], row["origin"], row["pin"]) for row in rows] == [
        ("jaeger", "pulled", "not pinned")
    ]


def test_a_build_tells_what_it_kept_and_grafana_asked_for_by_name_is_an_error(
    daemon: FakeDaemon, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "require", lambda *_, **__: {})
    monkeypatch.setattr(builder, "_same_machine", lambda _engine: None)
    done = run("build", "--profile", profile, "--service", "jaeger")
    assert done.exit_code == 0
    assert "kept" in done.output
    assert "--force replaces it" in done.output
    assert daemon.done == []
    failed = run("build", "--profile", profile, "--service", "grafana")
    assert isinstance(failed.exception, EngineError)
    assert f"docker pull {GRAFANA.tagged}" in str(failed.exception)


def test_a_lock_is_written_beside_the_profile(daemon: FakeDaemon, profile: Path) -> None:
    del daemon
    failed = run("lock", "--profile", profile)
    assert isinstance(failed.exception, EngineError)
    assert list(profile.parent.iterdir()) == [profile]
    done = run("lock", "--profile", profile, "--allow-missing")
    assert done.exit_code == 0, done.output
    assert f"sha256:{HEX}" in (profile.parent / "mine.images.lock").read_text()
    assert f"{GRAFANA.tagged}  not pinned: it cannot be had here" in done.output
    assert f"{LOOM.tagged}  not pinned: it is built here" in done.output


@pytest.mark.parametrize("registry", ["http://x", "x y", "x/y", "x:port"])
def test_a_registry_that_is_no_host_and_port_is_wrong_usage(registry: str, profile: Path) -> None:
    done = run("lock", "--profile", profile, "--registry", registry)
    assert done.exit_code == 2
    assert "is not HOST:PORT" in done.output


def test_what_is_saved_is_loaded_by_the_command_that_save_prints(
    daemon: FakeDaemon, profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved = run("save", "mine.tar", "--profile", profile, "--service", "jaeger", "--no-wheels")
    assert saved.exit_code == 0, saved.output
    daemon.images.clear()
    (line,) = [line for line in saved.output.splitlines() if "loom-deploy images" in line]
    loaded = run(*line.split("loom-deploy images ")[1].split())
    assert loaded.exit_code == 0, loaded.output
    assert JAEGER.tagged in daemon.images
    rendered = tmp_path / "mine" / "profile" / "docker-compose.observability.yaml"
    assert str(rendered.relative_to(tmp_path)) in loaded.output
    assert "name: loom-observability-mine" in rendered.read_text()
