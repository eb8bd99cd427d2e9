"""What Loom's image is made of: the packages, its Dockerfile, the base below it."""

import re
import shutil
import tarfile
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from loom.deploy.images import FakeDaemon, Present
from loom.deploy.images import base as bases
from loom.deploy.images.runtime import Runtime
from loom.deploy.images.wheels import LOCK, fetch, here, target
from loom.deploy.programs import LOOM
from loom.deploy.toolchain import Command
from loom.deploy.toolchain.process import Tell
from loom.errors import EngineError

REPOSITORY = Path(__file__).parents[3]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
_PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)", re.MULTILINE)


def test_looms_image_has_the_version_of_the_package() -> None:
    assert version("loom-deploy") == LOOM.version == LOOM.tag


def test_what_runs_in_the_image_is_what_was_tested() -> None:
    locked = dict(_PIN.findall(LOCK.read_text()))
    tested = dict(_PIN.findall((REPOSITORY / "locks" / "dev.txt").read_text()))
    assert locked.items() <= tested.items()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[<>=;\s]", line)[0].replace(".", "-") for line in project["dependencies"]}
    assert needed <= set(locked)
    assert not {"pytest", "ruff", "mypy"} & set(locked)


def test_every_locked_package_has_a_hash() -> None:
    blocks = re.split(r"^(?=[a-z0-9-]+==)", LOCK.read_text(), flags=re.MULTILINE)
    assert len(blocks) > 40
    assert all("--hash=sha256:" in block for block in blocks if block.strip())


def test_the_image_is_nobodys_root_and_asks_its_health_without_a_shell() -> None:
    instructions = [line.split(" ", 1) for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]+ ", line)]
    users = [rest for name, rest in instructions if name == "USER"]
    assert users[-1] == "10001:10001"
    assert all(rest.startswith("[") for name, rest in instructions if name in {"RUN", "CMD", "ENTRYPOINT"})
    assert re.search(r'HEALTHCHECK .*\\\n\s+CMD \["python3"', DOCKERFILE)
    assert bases.default(DOCKERFILE).startswith("python:")


def test_a_changed_source_makes_another_image_and_compiled_python_does_not(tmp_path: Path) -> None:
    for name in ("Dockerfile", "pyproject.toml", "README.md"):
        (tmp_path / name).write_text(name)
    for name in ("loom", "blueprints", "profiles"):
        (tmp_path / name).mkdir()
    (tmp_path / "loom" / "a.py").write_text("1")
    before = Runtime(tmp_path).content()
    (tmp_path / "loom" / "__pycache__").mkdir()
    (tmp_path / "loom" / "__pycache__" / "a.pyc").write_text("x")
    (tmp_path / "generated").write_text("no part of it")
    assert Runtime(tmp_path).content() == before
    (tmp_path / "loom" / "a.py").write_text("2")
    assert Runtime(tmp_path).content() != before


def test_the_target_is_what_the_bases_python_says() -> None:
    found = target("3.12 aarch64 2.28\n")
    assert (found.python, found.machine, found.glibc) == ("3.12", "aarch64", 28)
    assert found.platforms[0] == "manylinux_2_28_aarch64"
    assert {"manylinux2014_aarch64", "manylinux_2_17_aarch64", "linux_aarch64"} <= set(found.platforms)
    assert not any("2_29" in tag for tag in found.platforms)


@pytest.mark.parametrize("answer", ["", "3.12 x86_64 ", "3.12 x86_64 musl", "sh: python3: not found"])
def test_a_base_without_python_or_glibc_is_refused(answer: str) -> None:
    with pytest.raises(EngineError, match="does not run Loom"):
        target(answer)


class Pip:
    """A pip that downloads nothing, or fails."""

    def __init__(self, code: int = 0) -> None:
        """Take the exit code."""
        self.code = code
        self.commands: list[tuple[str, ...]] = []

    def run(self, command: Command, tell: Tell) -> int:
        self.commands.append(command.arguments)
        folder = Path(command.arguments[command.arguments.index("--dest") + 1])
        folder.mkdir()
        (folder / "half.whl").write_text("half")
        tell("it says why")
        return self.code


def test_wheels_are_downloaded_once_and_by_hash(tmp_path: Path) -> None:
    pip = Pip()
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    environ["PATH"] = _with_pip(tmp_path)
    folder = fetch(here(), environ, pip)
    assert fetch(here(), environ, pip) == folder
    (command,) = pip.commands
    assert "--require-hashes" in command
    assert ":all:" in command
    assert [path.name for path in folder.iterdir()] == ["half.whl"]


def test_a_download_that_fails_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": _with_pip(tmp_path)}
    with pytest.raises(EngineError, match="it says why"):
        fetch(here(), environ, Pip(code=1))
    assert list((tmp_path / ".cache" / "loom-deploy" / "python").iterdir()) == []


def _with_pip(folder: Path) -> str:
    program = folder / "path" / "pip"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program.parent)


def test_a_base_that_is_here_is_taken_and_nothing_is_pulled() -> None:
    daemon = FakeDaemon({bases.default(DOCKERFILE): Present("sha256:p", 1)})
    assert bases.python_base(DOCKERFILE, daemon, {}, print) == bases.default(DOCKERFILE)
    assert daemon.done == []


def test_a_base_that_can_be_pulled_is_pulled() -> None:
    daemon = FakeDaemon(registry={bases.default(DOCKERFILE): Present("sha256:p", 1)})
    assert bases.python_base(DOCKERFILE, daemon, {}, print) == bases.default(DOCKERFILE)
    assert daemon.done == [f"pull {bases.default(DOCKERFILE)}"]


def test_where_no_base_can_be_had_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(EngineError, match="there is no debootstrap"):
        bases.python_base(DOCKERFILE, FakeDaemon(), {"HOME": str(tmp_path)}, lambda _line: None)


def test_the_base_is_of_the_release_that_this_machine_runs(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    assert bases.release(file) == bases.SUITE
    file.write_text('ID=debian\nVERSION_CODENAME="trixie"\n')
    assert bases.release(file) == "trixie"
    file.write_text("ID=fedora\nVERSION_CODENAME=\n")
    assert bases.release(file) == bases.SUITE


def test_the_archive_of_a_base_leaves_out_what_nobody_needs(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("usr/share/doc/x/copyright", "usr/bin/python3", "var/cache/apt/archives/x.deb", "tmp/x"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("x")
    bases.pack(root, tmp_path / "base.tar")
    with tarfile.open(tmp_path / "base.tar") as tar:
        entries = {entry.name: entry for entry in tar}
    assert {"./usr/bin/python3", "./tmp/x", "./var/cache/apt/archives"} <= set(entries)
    assert not any(name.endswith((".deb", "copyright")) for name in entries)
    assert {entry.uname for entry in entries.values()} == {""}
