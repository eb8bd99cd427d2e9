"""`loom-deploy certs`: what it says, and how it ends."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from loom.cli import certs_rotate
from loom.cli.main import group
from loom.errors import FindingError, InputError, LoomError, MachineError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return tmp_path / "state" / "loom-deploy" / "prod" / "rendered" / "secrets"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["certs", *arguments])


def said(result: Result) -> str:
    """Output and, as `main` would print them, the problems."""
    problems = result.exception.problems if isinstance(result.exception, LoomError) else ()
    return result.output + "\n".join(map(str, problems))


def test_create_says_what_it_made_and_where(secrets: Path) -> None:
    result = run("create", "--profile", "prod")
    assert result.exit_code == 0, said(result)
    assert "otel-collector  created   until 20" in result.stdout
    assert f"{secrets}: " in result.stdout
    assert "kept" in run("create", "--profile", "prod").stdout


def test_check_is_green_on_what_create_made_and_names_everybody(secrets: Path) -> None:
    run("create", "--profile", "prod")
    result = run("check", "--profile", "prod")
    assert result.exit_code == 0, said(result)
    assert {"prometheus", "loom", "operator"} <= {
        line.split()[0] for line in result.stdout.splitlines() if line
    }
    assert secrets.is_dir()


def test_only_whoever_got_something_new_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[set[str]] = []

    def reread(_: Path, changed: set[str], **_how: bool) -> tuple[str, ...]:
        told.append(changed)
        return ()

    monkeypatch.setattr(certs_rotate, "reread", reread)
    run("create", "--profile", "prod")
    run("rotate", "--profile", "prod", "--only", "prometheus")
    run("rotate", "--profile", "prod", "--authority", "trust")
    assert told[0] == {"prometheus"}
    assert "grafana" in told[1], "whom it trusts has changed, not its certificate"


def test_check_ends_with_all_problems_at_once(secrets: Path) -> None:
    run("create", "--profile", "prod")
    (secrets / "jaeger" / "key.pem").chmod(0o644)
    (secrets / "loom" / "ca.pem").unlink()
    result = run("check", "--profile", "prod")
    assert isinstance(result.exception, FindingError)
    assert len(result.exception.problems) == 2
    assert "wrong" in result.stdout


def test_json_is_the_only_thing_on_standard_output(secrets: Path) -> None:
    run("create", "--profile", "prod")
    (secrets / "loom" / "ca.pem").unlink()
    result = run("check", "--profile", "prod", "--json")
    found = {one["party"]: one for one in json.loads(result.stdout)}
    assert found["loom"]["problems"][0]["file"] == str(secrets / "loom" / "ca.pem")
    assert found["jaeger"]["days"] == 89


def test_without_credentials_check_finds_all_of_it_wrong_and_says_the_commands_whole() -> None:
    result = run("check", "--profile", "prod", "--name", "other")
    assert isinstance(result.exception, FindingError)  # exit 1, as its help says
    commands = re.findall(r"loom-deploy ((?:certs|secrets) [^,)]*)", said(result))
    assert commands == [f"{one} --profile prod --name other" for one in ("certs create", "secrets init")]
    for command in commands:
        assert CliRunner().invoke(group, shlex.split(command)).exit_code == 0
    assert run("check", "--profile", "prod", "--name", "other").exit_code == 0


def test_rotate_cannot_do_without_credentials_and_says_the_commands_whole() -> None:
    result = run("rotate", "--profile", "prod", "--set", "ports.offset=100")
    assert isinstance(result.exception, MachineError)
    assert "loom-deploy certs create --profile prod --set ports.offset=100," in said(result)


@pytest.mark.parametrize("verb", ["check", "rotate"])
def test_a_profile_that_encrypts_nothing_needs_no_certificates(tmp_path: Path, verb: str) -> None:
    result = run(verb, "--profile", "dev")
    assert (result.exit_code, result.stdout) == (0, "the profile dev needs no certificates\n")
    assert not (tmp_path / "state").exists()


def test_what_is_wrong_with_a_party_is_mended_by_the_command_that_is_named(secrets: Path) -> None:
    run("create", "--profile", "prod")
    (secrets / "jaeger" / "cert.pem").unlink()
    found = json.loads(run("check", "--profile", "prod", "--json").stdout)
    hints = {problem["hint"] for one in found for problem in one["problems"]}
    assert hints == {"run: loom-deploy certs create --profile prod"}


def test_a_rendered_folder_can_have_credentials_of_its_own(tmp_path: Path) -> None:
    run("create", "--profile", "prod", "--output", str(tmp_path / "site"))
    assert (tmp_path / "site" / "secrets" / "jaeger" / "key.pem").is_file()
    assert run("create", "--profile", "prod", "--output", "x", "--name", "y").exit_code == 2


def test_the_folder_one_stands_in_can_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    monkeypatch.chdir(tmp_path / "site")
    assert run("create", "--profile", "prod", "--output", ".").exit_code == 0
    assert run("check", "--profile", "prod", "--output", ".").exit_code == 0
    assert (tmp_path / "site-secrets" / "jaeger" / "key.pem").is_file()


@pytest.mark.usefixtures("secrets")
def test_rotation_says_what_comes_next_on_the_way_to_a_new_authority() -> None:
    run("create", "--profile", "prod")
    assert "replaced" in run("rotate", "--profile", "prod", "--only", "grafana").stdout
    for step, after in (("trust", "issue"), ("issue", "drop"), ("drop", "nobody trusts")):
        result = run("rotate", "--profile", "prod", "--authority", step)
        assert after in result.stdout, said(result)
        assert run("check", "--profile", "prod").exit_code == 0
    refused = run("rotate", "--profile", "prod", "--authority", "drop")
    assert isinstance(refused.exception, InputError)
    assert "rotate --profile prod --authority trust" in said(refused)


def test_only_does_not_go_with_a_new_authority() -> None:
    assert run("rotate", "--profile", "prod", "--authority", "trust", "--only", "loom").exit_code == 2


PAGE = Path(__file__).parents[2] / "docs" / "certificates.md"


def test_the_commands_of_the_page_work_one_after_the_other() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 9
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "loom-deploy"
        result = CliRunner().invoke(group, arguments)
        assert result.exit_code == 0, f"{line}: {said(result)}"


def test_the_other_commands_of_the_page_are_ones_that_there_are() -> None:
    for line in re.findall(r"(?:^    |`)loom-deploy ([^`<\n]*)", PAGE.read_text(), re.MULTILINE):
        name, *arguments = shlex.split(line)
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), arguments.pop(0))
        assert command, line
        missing = [one for one in ("corporate.pem", "corporate.key") if one in arguments]
        for one in missing:
            arguments[arguments.index(one)] = __file__
        command.make_context(name, arguments)
