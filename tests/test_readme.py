"""README cannot lie: its commands exist, its paths exist, its example profile loads."""

import os
import re
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from loom.deploy.plan import derive
from loom.deploy.profile import load
from tests.typed import take

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
RECIPES = re.findall(r"^([a-z]+)(?: [^:\n]*)?:", (ROOT / "justfile").read_text(), re.MULTILINE)


def commands(program: str) -> list[str]:
    found = re.findall(
        rf"^{re.escape(program)} [^#\n|]*|`{re.escape(program)} ([^`]*)`", README, re.MULTILINE
    )
    lines = re.findall(rf"(?:^|`){re.escape(program)} ([^`#\n]*)", README, re.MULTILINE)
    assert len(lines) >= len(found)
    return sorted({line.strip() for line in lines})


@pytest.mark.parametrize("line", commands("loom-deploy"))
def test_a_command_of_the_readme_is_one_the_program_takes(line: str) -> None:
    take(line)


@pytest.mark.parametrize("line", commands("./loomw") + commands("just"))
def test_a_recipe_of_the_readme_exists(line: str) -> None:
    assert line == "--list" or line.split(maxsplit=1)[0] in RECIPES


@pytest.mark.parametrize("module", re.findall(r"python -m (loom\.[a-z_.]+)", README))
def test_a_module_of_the_readme_can_be_run(module: str) -> None:
    assert util.find_spec(module) is not None


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:loom|docs|tests|bench|locks|blueprints)/[^`]*)`", README)))
)
def test_a_path_of_the_readme_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_profile_of_the_readme_works(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n# profiles/staging.yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "prod.yaml").write_text((ROOT / "profiles" / "prod.yaml").read_text())
    (tmp_path / "staging.yaml").write_text(example)
    plan = derive(load(tmp_path / "staging.yaml"))
    assert plan.profile.tracing.sampler.ratio == 0.5
    assert plan.profile.metrics.retention.time.text == "30d"


@pytest.mark.parametrize("recipe", ["up", "test"])
def test_the_two_commands_lead_to_what_the_readme_says(recipe: str) -> None:
    done = subprocess.run(
        ["just", "--justfile", str(ROOT / "justfile"), "--dry-run", recipe],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{ROOT}/.loomw/seed/bin:{os.environ['PATH']}"},
    )
    promised = {
        "up": ["loom-deploy up", "--prove"],
        "test": ["toolchain install", "pytest"],
    }
    for part in promised[recipe]:
        assert part in done.stderr


@pytest.mark.slow
def test_the_agent_of_the_readme_keeps_the_contract(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n# greeter.py\n(.*?)```", README, re.DOTALL)
    (tmp_path / "greeter.py").write_text(code)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "loom.cli",
            "check",
            "--require",
            "emitted",
            "--",
            sys.executable,
            "greeter.py",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loom.action_broker" in done.stdout
    assert "the contract is kept" in done.stdout
