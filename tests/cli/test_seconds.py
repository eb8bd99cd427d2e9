"""How long to wait: what is no time is refused by every command that waits."""

import pytest
from click.testing import CliRunner

from loom.cli.main import group


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0", "soon"])
@pytest.mark.parametrize("command", [("up",), ("verify",), ("check", "--", "true")])
def test_a_wait_without_an_end_is_wrong_usage(command: tuple[str, ...], seconds: str) -> None:
    result = CliRunner().invoke(group, [command[0], "--timeout", seconds, *command[1:]])
    assert result.exit_code == 2, result.output
    assert "--timeout" in result.output
