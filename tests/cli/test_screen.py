"""Tables on terminals of every width: no name is cut, and none is broken."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence

import pytest

from loom.cli import screen
from loom.deploy.plan import derive
from loom.deploy.profile import load

COLUMNS = (*screen.titled("name", "state"), screen.Column("why", prose=True))
ROWS = (
    ("otel/opentelemetry-collector-contrib:0.161.0", "built here", "since no registry could be reached"),
    ("otel/opentelemetry-collector-contrib:0.161.1", "-", ""),
)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> "Shown":
    return Shown(capsys, monkeypatch)


class Shown:
    """What stands on a terminal."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Take what is printed, and set how wide the terminal is."""
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def table(
        self, room: int, columns: Sequence[screen.Column] = COLUMNS, rows: Sequence[Sequence[str]] = ROWS
    ) -> list[str]:
        self._monkeypatch.setattr(screen, "width", lambda: room)
        screen.show(columns, rows)
        return [line.rstrip() for line in self._capsys.readouterr().out.splitlines()]

    def line(self, room: int, text: str) -> str:
        self._monkeypatch.setattr(screen, "width", lambda: room)
        screen.prose(text)
        return self._capsys.readouterr().out


def test_a_table_that_fits_is_one_line_a_row(shown: Shown) -> None:
    wide = [
        "name                                          state       why",
        f"{ROWS[0][0]}  built here  {ROWS[0][2]}",
        f"{ROWS[1][0]}  -",
    ]
    assert shown.table(0) == shown.table(120) == wide


def test_words_go_to_the_next_line_before_the_table_is_given_up(shown: Shown) -> None:
    assert shown.table(80)[1:3] == [
        f"{ROWS[0][0]}  built here  since no registry",
        f"{'':<58}could be reached",
    ]


def test_what_does_not_fit_is_a_block_a_row_without_what_says_nothing(shown: Shown) -> None:
    assert shown.table(60) == [
        ROWS[0][0],
        "    state: built here;",
        "    why: since no registry could be reached",
        ROWS[1][0],
    ]


@pytest.mark.parametrize("room", [1, 10, 30])
def test_a_word_longer_than_the_terminal_stays_whole(shown: Shown, room: int) -> None:
    lines = shown.table(room)
    assert {ROWS[0][0], ROWS[1][0]} <= set(lines)
    words = " ".join(lines).split()
    assert words == " ".join([ROWS[0][0], "state: built here;", f"why: {ROWS[0][2]}", ROWS[1][0]]).split()


def test_brackets_in_a_cell_are_no_markup(shown: Shown) -> None:
    assert shown.table(0, screen.titled("error"), [("[Errno 2] [red]",)]) == ["error", "[Errno 2] [red]"]


def test_without_titles_there_is_no_head(shown: Shown) -> None:
    assert shown.table(0, screen.titled("", ""), [("a", "b")]) == ["a  b"]


def test_prose_goes_on_below_its_beginning_and_an_empty_line_stays(shown: Shown) -> None:
    assert shown.line(20, "    what is published can") == "    what is\n    published can\n"
    assert shown.line(0, "    what is published can") == "    what is published can\n"
    assert shown.line(20, "") == "\n"


@pytest.mark.parametrize("room", [60, 80, 100, 200])
def test_a_plan_on_a_real_terminal_has_every_name_whole(room: int) -> None:
    output = typed(room, "plan", "--profile", "prod")
    plan = derive(load("prod"))
    assert "…" not in output
    names = {edge.name for edge in plan.edges} | {one.program.reference for one in plan.containers}
    names |= {one.volume for one in plan.containers if one.volume}
    assert names == {name for name in names if re.search(rf"(?<!\S){re.escape(name)}(?![\w:/-])", output)}
    tables = output.partition("\nwaivers")[0].splitlines()
    assert [line for line in tables if len(line) > room] == []


def typed(room: int, *arguments: str) -> str:
    """What a command shows on a terminal of so many columns, without colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, room, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    environ |= {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    command = [sys.executable, "-m", "loom.cli", *arguments]
    child = subprocess.Popen(command, stdout=follower, stderr=subprocess.DEVNULL, env=environ)
    os.close(follower)
    said = b""
    try:
        while chunk := os.read(leader, 65536):
            said += chunk
    except OSError:  # Linux says so when the last one has closed the other end
        pass
    finally:
        os.close(leader)
    assert child.wait(timeout=60) == 0
    return ESCAPES.sub("", said.decode()).replace("\r\n", "\n")
