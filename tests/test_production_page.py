"""docs/production.md cannot lie: its commands exist, and the profile that it begins with works."""

import re
import shlex
from pathlib import Path

import pytest

from loom.deploy.plan import derive, remarks
from loom.deploy.plan.identity import Kind, secrets
from loom.deploy.profile import load
from tests.typed import take

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "production.md").read_text()
COMMANDS = re.findall(r"^loom-deploy ([^#<\n]*)", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_one_the_program_takes(line: str) -> None:
    take(line)


def test_what_lets_other_machines_send_is_taken(tmp_path: Path) -> None:
    (more,) = re.findall(r"```yaml\n# in profiles/ours.yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "prod.yaml").write_text((ROOT / "profiles" / "prod.yaml").read_text())
    (tmp_path / "ours.yaml").write_text(f"extends: prod\nname: ours\n{more}")
    plan = derive(load(tmp_path / "ours.yaml"))
    assert {port.native for port in plan.ports if port.outside} == {4317, 4318}
    host = plan.profile.security.tls.hosts[0]
    assert f"https://{host}:4317" in PAGE


def test_the_profile_that_it_begins_with_calls_somebody_and_takes_the_secrets_that_are_set(
    tmp_path: Path,
) -> None:
    (example,) = re.findall(r"```yaml\n# profiles/ours.yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "prod.yaml").write_text((ROOT / "profiles" / "prod.yaml").read_text())
    (tmp_path / "ours.yaml").write_text(example)
    plan = derive(load(tmp_path / "ours.yaml"))
    assert remarks(plan) == ()
    given = {(one.holder, one.file) for one in secrets(plan) if one.kind is Kind.GIVEN}
    told = [shlex.split(line) for line in COMMANDS]
    assert {(words[2], words[3]) for words in told if words[:2] == ["secrets", "set"]} == given
