"""On a real Docker Engine: stand-ins run as upstream's images would; bundles and pins hold there too."""

import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from loom.deploy.images import (
    Action,
    Delivery,
    Docker,
    Origin,
    Present,
    Wanted,
    Workshop,
    build,
    inventory,
    load,
    lock,
    save,
)
from loom.deploy.images.bundle import Cargo
from loom.deploy.images.upstream import STANDINS
from loom.deploy.plan.pinning import pin
from loom.deploy.programs import CADDY, LOOM, REGISTRY, THANOS, Program
from loom.deploy.toolchain import require

pytestmark = [pytest.mark.smoke, pytest.mark.docker]


def run(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return (done.stdout or done.stderr).strip()


def make(one: Wanted, docker: Docker) -> Action:
    (result,) = build((one,), Workshop(docker), lambda _result: None)
    return result.action


@pytest.fixture
def registry() -> Iterator[str]:
    """`host:port` of a registry in memory."""
    program = require(REGISTRY)[REGISTRY.name]
    process = subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        try:
            yield output.readline().strip()
        finally:
            process.terminate()
            process.wait(10)


def test_a_stand_in_has_upstreams_entry_point_user_and_volume_and_says_who_built_it(
    own: Wanted, docker: Docker
) -> None:
    assert make(own, docker) is Action.BUILT
    standin = STANDINS[own.program.name]
    fields = ("User", "WorkingDir", "Entrypoint", "ExposedPorts", "Volumes")
    asked = " ".join(f"{{{{.Config.{field}}}}}" for field in fields)
    said = run("image", "inspect", own.program.tagged, "--format", asked)
    assert said == "nobody /alertmanager [/bin/alertmanager] map[9093/tcp:{}] map[/alertmanager:{}]"
    (row,) = inventory((own,), docker)
    assert (row.origin, row.source) == (Origin.BUILT, "github.com/prometheus/alertmanager@v0.34.2")
    version = run("run", "--rm", "--read-only", "--network", "none", own.program.tagged, "--version")
    assert f"version {standin.program.version}" in version
    tool = run(
        "run", "--rm", "--network", "none", "--entrypoint", "/bin/amtool", own.program.tagged, "--version"
    )
    assert f"version {standin.program.version}" in tool


@pytest.fixture
def stand_in(docker: Docker) -> Iterator[Callable[[Program], str]]:
    """Builds a stand-in under a reference of the test's own, and says which."""
    made: list[str] = []

    def build_one(program: Program) -> str:
        own = replace(program, image=f"localhost/loom-test-{os.getpid()}/{program.name}")
        made.append(own.tagged)
        assert make(Wanted(program.name, own, own), docker) is Action.BUILT
        return own.tagged

    yield build_one
    subprocess.run(["docker", "rmi", *made], capture_output=True, check=False)


CONFINED = ("--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")


def test_caddys_stand_in_takes_upstreams_command_and_serves_as_nobody(
    stand_in: Callable[[Program], str], tmp_path: Path
) -> None:
    image = stand_in(CADDY)
    fields = ("WorkingDir", "User", "Entrypoint", "Cmd", "Env")
    asked = " ".join(f"{{{{.Config.{field}}}}}" for field in fields)
    assert run("image", "inspect", image, "--format", asked) == (
        "/srv  [] [caddy run --config /etc/caddy/Caddyfile --adapter caddyfile] [PATH=/usr/local/sbin:"
        "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data]"
    )
    tmp_path.chmod(0o755)
    (tmp_path / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n:8443 {\n\trespond well\n}\n")
    name = f"loom-test-{os.getpid()}-caddy"
    mounts = ("-v", f"{tmp_path}:/etc/caddy:ro", "--tmpfs", "/config", "--tmpfs", "/data")
    options = ("--name", name, "--user", "65534:65534", "-p", "127.0.0.1::8443", *mounts)
    process = subprocess.Popen(
        ["docker", "run", *CONFINED, *options, image], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr as told:
        try:
            assert any("serving initial configuration" in line for line in told)
            with urlopen(f"http://{run('port', name, '8443')}", timeout=10) as answer:
                assert answer.read() == b"well"
        finally:
            subprocess.run(["docker", "stop", name], capture_output=True, check=False)
            process.wait(30)


def test_thanos_stand_in_runs_confined_as_upstreams_user(stand_in: Callable[[Program], str]) -> None:
    image = stand_in(THANOS)
    assert run("image", "inspect", image, "--format", "{{.Config.User}} {{.Config.Entrypoint}}") == (
        "1001 [/bin/thanos]"
    )
    assert f"version {THANOS.version}" in run("run", *CONFINED, "--network", "none", image, "--version")


def test_the_data_folder_belongs_to_the_user_and_tmp_to_everybody(
    own: Wanted, docker: Docker, tmp_path: Path
) -> None:
    make(own, docker)
    name = run("create", own.program.tagged)
    try:
        run("export", "--output", str(tmp_path / "files.tar"), name)
    finally:
        run("rm", "--volumes", name)
    with tarfile.open(tmp_path / "files.tar") as tar:
        data, temporary = tar.getmember("alertmanager"), tar.getmember("tmp")
    assert (data.uid, data.gid) == (65534, 65534)
    assert temporary.mode & 0o7777 == 0o1777


def test_a_second_build_does_nothing_and_a_forced_one_makes_no_litter(own: Wanted, docker: Docker) -> None:
    make(own, docker)
    before = docker.inspect(own.program.tagged)
    assert make(own, docker) is Action.UNCHANGED
    assert docker.inspect(own.program.tagged) == before
    build((own,), Workshop(docker, force=True), lambda _result: None)
    assert before is not None
    after = docker.inspect(own.program.tagged)
    assert after is not None
    assert after.id == before.id or docker.inspect(before.id) is None


def test_a_bundle_brings_an_image_back_that_was_removed(own: Wanted, docker: Docker, tmp_path: Path) -> None:
    make(own, docker)
    rows = inventory((own,), docker)
    manifest = save(Cargo("dev", rows, ()), tmp_path / "dev.tar", docker)
    run("rmi", own.program.tagged)
    assert docker.inspect(own.program.tagged) is None
    loaded = load(Delivery(tmp_path / "dev.tar", tmp_path / "out", manifest.sha256()), docker)
    assert loaded.images == {own.program.tagged: rows[0].id}
    assert inventory((own,), docker) == rows


def test_a_pinned_image_is_pulled_by_its_digest_from_the_registry(
    own: Wanted, docker: Docker, registry: str
) -> None:
    make(own, docker)
    pins = lock((own,), docker, registry)
    pinned = replace(own, program=pin(own.upstream, pins))
    try:
        assert pinned.program.reference.startswith(f"{registry}/{own.program.tagged}@sha256:")
        run("rmi", pinned.program.tagged)
        assert docker.inspect(pinned.program.reference) is None
        run("pull", "--quiet", pinned.program.reference)
        assert docker.inspect(pinned.program.reference) == replace(
            found(docker, own), digests=(pinned.program.reference.replace(f":{own.program.tag}@", "@"),)
        )
    finally:
        subprocess.run(
            ["docker", "rmi", pinned.program.reference.replace(f":{own.program.tag}@", "@")],
            capture_output=True,
            check=False,
        )


def found(docker: Docker, one: Wanted) -> Present:
    here = docker.inspect(one.upstream.tagged)
    assert here is not None
    return here


@pytest.mark.slow
def test_looms_image_runs_the_example_read_only_and_not_as_root(
    images: tuple[Wanted, ...], docker: Docker
) -> None:
    one = next(image for image in images if image.program is LOOM)
    make(one, docker)
    confined = ("run", "--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", LOOM.tagged)
    assert "--rate" in run(*confined, "-m", "loom.examples.load", "--help")
    script = "import os, loom; print(os.getuid(), loom.__file__, os.access('/opt/loom', os.W_OK))"
    assert run(*confined, "-c", script) == "10001 /opt/loom/loom/__init__.py False"
    said = run(*confined, "-m", "loom.cli", "--version")
    assert LOOM.version in said
    assert os.environ.get("CI") is None or make(one, docker) is Action.UNCHANGED
