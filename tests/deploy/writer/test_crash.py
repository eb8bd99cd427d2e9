"""A crash, a kill or a full disk at any moment leaves the old set or the new one, whole."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from loom.deploy.artifacts.model import Artifact
from loom.deploy.writer import FaultyDisk, commit, inspect
from loom.deploy.writer.fault import Died
from loom.errors import WriteError

Set = tuple[Artifact, ...]
Held = Callable[[Path], dict[str, str]]
MINE = {"grafana/dashboards/mine.json": "mine\n", "prometheus.yml": "edited by hand\n"}


@pytest.fixture
def fresh(tmp_path: Path, first: Set) -> Callable[[], Path]:
    """Makes the folder as it was before the render, as often as it is called."""
    folder = tmp_path / "generated" / "dev"

    def make() -> Path:
        shutil.rmtree(folder.parent, ignore_errors=True)
        commit(folder, first)
        for path, text in MINE.items():
            (folder / path).write_text(text)
        return folder

    return make


def operations(folder: Path, artifacts: Set, *, exchanges: bool) -> int:
    disk = FaultyDisk(0, exchanges=exchanges)
    commit(folder, artifacts, disk=disk)
    return disk.count


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.parent.iterdir()]


@pytest.mark.parametrize("exchanges", [True, False])
def test_death_at_every_operation_leaves_a_whole_set(
    fresh: Callable[[], Path], second: Set, held: Held, *, exchanges: bool
) -> None:
    folder = fresh()
    old = held(folder)
    total = operations(folder, second, exchanges=exchanges)
    new = held(folder)
    assert total > 10
    seen = set()
    for moment in range(1, total + 1):
        folder = fresh()
        with pytest.raises(Died):
            commit(folder, second, disk=FaultyDisk(moment, exchanges=exchanges))
        state = held(folder if folder.exists() else folder.with_name(".dev.loom-old"))
        assert state in (old, new), f"a mix after operation {moment}"
        assert folder.exists() or not exchanges
        seen.add(state == new)
        commit(folder, second)
        assert held(folder) == new
        assert names(folder) == ["dev"], f"leftovers after operation {moment}"
    assert seen == {True, False}


@pytest.mark.parametrize("exchanges", [True, False])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_an_error_at_every_operation_is_named_and_leaves_no_leftovers(
    fresh: Callable[[], Path], second: Set, held: Held, code: int, *, exchanges: bool
) -> None:
    folder = fresh()
    old = held(folder)
    total = operations(folder, second, exchanges=exchanges)
    new = held(folder)
    for moment in range(1, total + 1):
        folder = fresh()
        disk = FaultyDisk(moment, lambda: OSError(code, os.strerror(code)), exchanges=exchanges)
        with suppress(WriteError):  # an old set that cannot be removed is no error of the render
            commit(folder, second, disk=disk)
        assert held(folder) in (old, new), f"a mix after operation {moment}"
        commit(folder, second)
        assert held(folder) == new
        assert names(folder) == ["dev"]


def test_an_interrupt_cleans_up_behind_itself(fresh: Callable[[], Path], second: Set, held: Held) -> None:
    folder = fresh()
    old = held(folder)

    class Interrupted(FaultyDisk):
        def seal(self, folder: Path, mode: int | None = None) -> None:
            del folder, mode
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commit(folder, second, disk=Interrupted(0))
    assert held(folder) == old
    assert names(folder) == ["dev"]


def test_a_file_saved_while_the_set_is_built_is_not_lost(
    fresh: Callable[[], Path], second: Set, held: Held
) -> None:
    folder = fresh()

    class Busy(FaultyDisk):
        def exchange(self, first: Path, second: Path) -> bool:
            (folder / "late.json").write_text("late\n")
            (folder / "prometheus.yml").unlink()
            (folder / "prometheus.yml").write_text("saved just now\n")
            return super().exchange(first, second)

    commit(folder, second, disk=Busy(0))
    assert held(folder)["late.json"] == "late\n"
    assert held(folder)["prometheus.yml"] == "saved just now\n"
    assert inspect(folder, second).by_hand == ("prometheus.yml",)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 256 KiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount; the file size limit is tested below")
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here; the file size limit is tested below")
    yield path
    subprocess.run(["umount", path], check=True)


def test_a_full_disk_leaves_the_old_set_and_says_so(
    small_disk: Path, first: Set, second: Set, held: Held
) -> None:
    folder = small_disk / "dev"
    commit(folder, first)
    old = held(folder)
    big = (*second, Artifact("big.json", "x" * 400_000, "Too large."))
    with pytest.raises(WriteError, match="no space left") as caught:
        commit(folder, big)
    assert caught.value.problems[0].file == str(folder / "big.json")
    assert "free some space" in caught.value.problems[0].hint
    assert held(folder) == old
    assert names(folder) == ["dev"]
    commit(folder, second)


def test_a_file_size_limit_leaves_the_old_set(tmp_path: Path, first: Set, second: Set, held: Held) -> None:
    folder = tmp_path / "generated" / "dev"
    commit(folder, first)
    old = held(folder)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(WriteError, match="file too large"):
            commit(folder, (*second, Artifact("big.json", "x" * 100_000, "Too large.")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert held(folder) == old
    assert names(folder) == ["dev"]


RENDERER = """
import sys
from pathlib import Path
from loom.deploy.artifacts.model import Artifact
from loom.deploy.writer import commit
print("ready", flush=True)
number = 0
while True:
    number += 1
    commit(Path(sys.argv[1]), [Artifact(f"f{i}/a.yml", f"{number}\\n", "") for i in range(20)])
    print(number, flush=True)
"""


@pytest.mark.slow
def test_kill_9_in_the_middle_of_rendering_leaves_one_version_everywhere(
    tmp_path: Path, first: Set, held: Held
) -> None:
    folder = tmp_path / "generated" / "dev"
    versions = set()
    for round_ in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", RENDERER, folder], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for number in range(1, round_ + 1):  # none at first: it may die before its first is done
                assert process.stdout.readline() == f"{number}\n"
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.02 + round_ * 0.013)  # a different moment each time
            process.send_signal(signal.SIGKILL)
        if not folder.exists():  # killed before its first render was done
            continue
        state = held(folder)
        assert len(state) == 20
        assert len(set(state.values())) == 1, "two versions in one set"
        versions |= set(state.values())
    assert len(versions) > 1
    commit(folder, first)
    assert names(folder) == ["dev"]
