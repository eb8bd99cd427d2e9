"""`loom-deploy secrets`: what it says, and that it never says a secret."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loom.cli.main import group
from loom.deploy.credentials import password
from loom.errors import EngineError, FindingError, InputError, LoomError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(password, "ROUNDS", 4)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return tmp_path / "state" / "loom-deploy" / "prod" / "rendered" / "secrets"


def run(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(group, ["secrets", *arguments], input=given)


def said(result: Result) -> str:
    problems = result.exception.problems if isinstance(result.exception, LoomError) else ()
    return result.output + "\n".join(map(str, problems))


def test_init_names_the_files_and_shows_no_content(secrets: Path) -> None:
    result = run("init", "--profile", "prod")
    assert result.exit_code == 0, said(result)
    assert "prometheus/web.yml" in result.stdout
    contents = [path.read_text() for path in secrets.rglob("*") if path.is_file() and path.name[0] != "."]
    assert len(contents) >= 9
    assert [one for one in contents if one.strip() in result.output] == []


def test_check_is_green_after_init_and_names_all_problems_before(secrets: Path) -> None:
    run("init", "--profile", "prod")
    assert run("check", "--profile", "prod").exit_code == 0
    (secrets / "operator" / "password").unlink()
    (secrets / "grafana" / "password").write_text("another")
    result = run("check", "--profile", "prod")
    assert isinstance(result.exception, FindingError)
    assert "operator/password  is missing (run: loom-deploy secrets init --profile prod)" in said(result)
    assert "prometheus/web.yml  does not know the password of grafana, operator" in said(result)


def test_rotate_makes_a_new_one_and_shows_neither(secrets: Path) -> None:
    run("init", "--profile", "prod")
    before = (secrets / "operator" / "password").read_text()
    result = run("rotate", "operator", "--profile", "prod")
    assert result.exit_code == 0, said(result)
    after = (secrets / "operator" / "password").read_text()
    assert after != before
    assert before not in said(result)
    assert after not in said(result)
    assert run("check", "--profile", "prod").exit_code == 0


def test_what_only_the_operator_can_bring_is_asked_for_and_taken_from_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(
        "extends: prod\nname: site\nalerting: {receivers: [{name: chat, url_secret: chat_url}]}\n"
    )
    missing = run("init", "--profile", str(file))
    assert isinstance(missing.exception, FindingError)
    assert (
        "alertmanager/chat_url  has to come from you (loom-deploy secrets set"
        f" --profile {file} alertmanager chat_url < FILE)"
    ) in said(missing)
    brought = run(
        "set", "alertmanager", "chat_url", "--profile", str(file), given="https://chat.example/k3y\n"
    )
    assert "k3y" not in said(brought)
    assert run("init", "--profile", str(file)).exit_code == 0
    assert run("check", "--profile", str(file)).exit_code == 0


def test_a_secret_that_is_no_utf_8_is_refused_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(
        "extends: prod\nname: site\nalerting: {receivers: [{name: chat, url_secret: chat_url}]}\n"
    )
    given = "https://müller.example".encode("latin-1")
    result = run("set", "alertmanager", "chat_url", "--profile", str(file), given=given)
    assert isinstance(result.exception, InputError)
    assert "alertmanager/chat_url  is not UTF-8" in said(result)
    assert "0xfc" not in said(result)
    assert "ller" not in said(result)


def test_rotate_says_what_was_done_where_the_record_is_damaged(secrets: Path) -> None:
    run("init", "--profile", "prod")
    (secrets.parents[1] / "deployment.json").write_text("{")
    result = run("rotate", "operator", "--profile", "prod")
    assert isinstance(result.exception, EngineError)
    assert "operator/password" in result.stdout


def test_a_secret_is_no_argument() -> None:
    assert run("set", "operator", "password", "hush", "--profile", "prod").exit_code == 2


def test_an_unknown_secret_is_refused_with_those_there_are() -> None:
    result = run("set", "operator", "pass", "--profile", "prod", given="x")
    assert isinstance(result.exception, InputError)
    assert "operator has no secret pass" in said(result)
    assert "operator password" in said(result)


def test_a_profile_without_authentication_needs_none() -> None:
    assert "needs no secrets" in run("init", "--profile", "dev").stdout
    assert "needs no secrets" in run("check", "--profile", "dev").stdout
    assert "operator has no secret password" in said(run("rotate", "operator", "--profile", "dev"))


def test_without_credentials_check_says_the_commands_whole() -> None:
    result = run("check", "--profile", "prod", "--name", "other")
    assert isinstance(result.exception, FindingError)
    assert "loom-deploy secrets init --profile prod --name other" in said(result)
