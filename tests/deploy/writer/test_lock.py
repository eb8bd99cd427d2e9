"""Two renders of the same folder do not meet."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy.artifacts.model import Artifact
from loom.deploy.writer import commit
from loom.deploy.writer.lock import locked
from loom.errors import WriteError

HOLDER = """
import sys
from pathlib import Path
from loom.deploy.writer.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_render_is_told_who_is_in_the_way(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(WriteError, match="another render"), locked(tmp_path, 0.0):
        pass


def test_a_killed_render_leaves_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WriteError), locked(tmp_path, 0.0):
            pass
        holder.kill()
    with locked(tmp_path, 0.0):
        assert list(tmp_path.iterdir()) == []


def test_renders_at_the_same_time_end_in_one_whole_set(
    tmp_path: Path, held: Callable[[Path], dict[str, str]]
) -> None:
    def render(number: int) -> None:
        for _ in range(5):
            commit(tmp_path / "dev", [Artifact(f"f{i}.yml", f"{number}\n", "") for i in range(10)])

    threads = [threading.Thread(target=render, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = held(tmp_path / "dev")
    assert len(state) == 10
    assert len(set(state.values())) == 1
