"""What tests of images share: a plan, a fake engine, fake programs, the real engine where there is one."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loom.deploy import plan, profile
from loom.deploy.images import Docker, FakeDaemon, Wanted, Workshop, builder, connect, wanted
from loom.deploy.images.runtime import Base, Runtime
from loom.deploy.plan import Plan
from loom.deploy.programs import Program
from loom.errors import EngineError

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def dev() -> Plan:
    return plan.derive(profile.load("dev", (), REPOSITORY / "profiles"))


@pytest.fixture
def images(dev: Plan) -> tuple[Wanted, ...]:
    return wanted(dev)


class StagedRuntime(Runtime):
    """Loom's image without its packages: what it stands on is said, and its Dockerfile is there."""

    def content(self) -> str:
        return "c" * 64

    def stage(self, daemon: object, folder: Path, environ: object, say: object) -> Base:
        del daemon, environ, say
        (folder / "Dockerfile").write_text("FROM base\n")
        return Base("base", "3.11")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Programs that the toolchain is made to find: small files instead of a hundred megabytes."""
    found: dict[str, Path] = {}

    def require(*wanted: Program, environ: object) -> dict[str, Path]:
        del environ
        for program in wanted:
            path = found.setdefault(program.name, tmp_path / "programs" / program.name)
            path.parent.mkdir(exist_ok=True)
            if not path.exists():
                path.write_text(f"#!{program.name}")
                path.chmod(0o755)
        return {program.name: found[program.name] for program in wanted}

    monkeypatch.setattr(builder, "require", require)
    monkeypatch.setattr(builder, "_same_machine", lambda _engine: None)
    return found


@pytest.fixture
def workshop(tmp_path: Path, programs: dict[str, Path]) -> Workshop:
    del programs
    return Workshop(FakeDaemon(), {"HOME": str(tmp_path)}, StagedRuntime())


@pytest.fixture
def docker() -> Docker:
    """The machine's Docker."""
    try:
        return connect()
    except EngineError as error:
        if os.environ.get("CI"):
            pytest.fail(f"a Docker Engine is needed where CI is set: {error}")
        pytest.skip(f"no Docker Engine: {error}")


@pytest.fixture
def own(images: tuple[Wanted, ...], docker: Docker) -> Iterator[Wanted]:
    """Alertmanager's image under a reference of the test's own: others use the deployment's."""
    del docker  # asked for, so that without one the test is skipped before anything is done
    one = next(image for image in images if image.service == "alertmanager")
    program = replace(one.program, image=f"localhost/loom-test-{os.getpid()}/alertmanager")
    yield replace(one, program=program, upstream=program)
    subprocess.run(["docker", "rmi", program.tagged], capture_output=True, check=False)
