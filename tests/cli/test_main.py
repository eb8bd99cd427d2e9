"""The command line as a whole."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from loom.cli import main as cli
from loom.errors import LoomError, Problem, ProfileError


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_exists_and_explains_itself(name: str) -> None:
    command = import_module(f"loom.cli.{name}").command
    assert isinstance(command, click.Command)
    result = CliRunner().invoke(cli.group, [name, "--help"])
    assert result.exit_code == 0
    assert (command.help or "").strip()
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or getattr(parameter, "help", None), parameter.name


def test_help_lists_every_command_without_importing_one() -> None:
    script = """
import sys
from loom.cli.main import group
try:
    group(["--help"])
except SystemExit:
    print("loaded", sorted(n for n in sys.modules if n.startswith("loom.cli.")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = [f"loom.cli.{own}" for own in ("interruption", "lazy", "main", "output")]
    assert done.stdout.splitlines()[-1] == f"loaded {loaded}"
    for name in cli.COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rendr"], "No such command 'rendr'. Did you mean render?"),
        (["certs", "chek"], "No such command 'chek'. Did you mean check?"),
        (["xyzzy"], "No such command 'xyzzy'."),
    ],
)
def test_an_unknown_command_is_wrong_usage_and_the_near_one_is_named(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli.group, arguments)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {said}"


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({"NO_COLOR": "", "TERM": "xterm"}, True),
        ({"NO_COLOR": "1", "TERM": "xterm"}, False),
        ({"NO_COLOR": "0", "TERM": "xterm"}, False),
        ({"NO_COLOR": "", "TERM": "dumb"}, False),
    ],
)
def test_a_terminal_without_colours_and_whoever_wants_none_is_heard(
    environ: dict[str, str], *, coloured: bool
) -> None:
    arguments = ["doctor", "--endpoint", "prometheus=127.0.0.1:1"]
    result = CliRunner().invoke(cli.group, arguments, color=True, env=environ)
    assert "first cause: stack" in result.stdout
    assert ("\x1b[" in result.stdout) is coloured


@pytest.mark.parametrize(
    ("raised", "code", "printed"),
    [
        (
            ProfileError(Problem("unknown key", "a.yaml", 3, 5, "$.x", "did you mean 'y'?"), "second"),
            3,
            ["error: a.yaml:3:5  $.x: unknown key (did you mean 'y'?)", "error: second"],
        ),
        (KeyboardInterrupt(), 130, ["interrupted"]),
        (click.Abort(), 130, ["interrupted"]),
        (click.UsageError("no such option"), 2, ["Error: no such option"]),
    ],
)
def test_whatever_ends_a_command_is_told_once_and_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    printed: list[str],
) -> None:
    def fail(**_: object) -> None:
        raise raised

    monkeypatch.setattr(cli.group, "main", fail)
    assert cli.run() == code
    assert capsys.readouterr().err.splitlines() == printed


def test_an_interrupt_that_a_library_took_for_something_else_is_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        raise ProfileError(Problem("not valid"))

    monkeypatch.setattr(cli.group, "main", fail)
    assert cli.run() == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(("argument", "code"), [("--version", 0), ("--no-such-option", 2)])
def test_the_exit_code_reaches_the_shell(argument: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-m", "loom.cli", argument], capture_output=True, check=False)
    assert done.returncode == code


def test_every_class_of_error_has_an_exit_code_that_a_script_can_tell_apart() -> None:
    direct = {cls.__name__: cls.exit_code for cls in LoomError.__subclasses__()}
    assert direct == {"InputError": 3, "FindingError": 1, "MachineError": 4, "LoomRuntimeError": 5}
