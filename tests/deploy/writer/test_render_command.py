"""`loom-deploy render`, as a user calls it."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loom.cli.render import command
from loom.deploy.writer import MANIFEST
from loom.errors import DriftError, PlanError, ProfileError, WriteError

ROOT = Path(__file__).parents[3]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped profiles, as a checkout has them."""
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_renders_every_profile_and_the_same_bytes_again(here: Path) -> None:
    first = run("--all")
    assert first.exit_code == 0, first.output
    names = sorted(path.stem for path in (here / "profiles").glob("*.yaml"))
    assert sorted(path.name for path in (here / "generated").iterdir()) == names
    before = {path: path.read_bytes() for path in (here / "generated").rglob("*") if path.is_file()}
    shutil.rmtree(here / "generated")
    assert run("--all").exit_code == 0
    assert {p: p.read_bytes() for p in (here / "generated").rglob("*") if p.is_file()} == before
    assert "up to date" in run("--all").output


def test_a_production_that_calls_nobody_is_remarked_and_not_when_it_is_only_checked(here: Path) -> None:
    del here
    result = run("--all")
    said = "  $.alerting.receivers: nobody is called: alerts show in Alertmanager only"
    where = "note: generated/prod: profiles/prod.yaml:3:7"
    assert any(line.startswith(where + said) for line in result.stderr.splitlines())
    assert "generated/dev" not in result.stderr
    assert run("--all", "--check").stderr == ""


def test_check_passes_after_a_render_and_names_the_file_after_one_byte_is_changed(here: Path) -> None:
    run("--all")
    assert run("--all", "--check").exit_code == 0
    path = here / "generated" / "dev" / "prometheus.yml"
    path.write_text(path.read_text().replace("scrape", "scrapf", 1))
    result = run("--all", "--check")
    assert isinstance(result.exception, DriftError)
    assert [problem.file for problem in result.exception.problems] == ["generated/dev/prometheus.yml"]
    assert result.exception.exit_code == 1
    assert "-  scrapf" in result.output
    assert path.read_text().count("scrapf") == 1


def test_check_before_the_first_render_names_every_file_and_makes_none(here: Path) -> None:
    result = run("--profile", "dev", "--check")
    assert isinstance(result.exception, DriftError)
    assert {problem.message for problem in result.exception.problems} == {"missing"}
    assert not (here / "generated").exists()


def test_an_edit_is_reported_and_kept_until_forced_and_a_users_dashboard_always(here: Path) -> None:
    run("--profile", "dev")
    folder = here / "generated" / "dev"
    (folder / "prometheus.yml").write_text("# mine\n")
    (folder / "grafana" / "dashboards" / "mine.json").write_text("{}\n")
    result = run("--profile", "dev")
    assert isinstance(result.exception, DriftError)
    assert "edited by hand" in str(result.exception)
    assert "1 of your own kept" in result.output
    assert (folder / "prometheus.yml").read_text() == "# mine\n"
    assert run("--profile", "dev", "--force").exit_code == 0
    assert (folder / "prometheus.yml").read_text() != "# mine\n"
    assert (folder / "grafana" / "dashboards" / "mine.json").read_text() == "{}\n"


def test_set_changes_what_is_rendered_and_output_where(here: Path) -> None:
    assert run("--profile", "dev", "--set", "metrics.namespace=loom", "--output", "elsewhere").exit_code == 0
    assert 'namespace: "loom"' in (here / "elsewhere" / "otel-collector-config.yaml").read_text()
    assert run("--profile", "dev", "--profile", "prod", "--output", "both").exit_code == 0
    assert (here / "both" / "prod" / MANIFEST).exists()
    assert (here / "both" / "dev" / MANIFEST).exists()


def test_a_bad_profile_among_good_ones_writes_nothing(here: Path) -> None:
    (here / "profiles" / "zzz.yaml").write_text("name: zzz\nmetrix: {}\n")
    result = run("--all")
    assert isinstance(result.exception, ProfileError)
    assert not (here / "generated").exists()


def test_a_profile_that_is_refused_only_when_its_files_are_made_writes_nothing_either(here: Path) -> None:
    text = "extends: dev\nname: zzz\nalerting: {teams: [{name: a, components: [loom.rooter]}]}\n"
    (here / "profiles" / "zzz.yaml").write_text(text)
    result = run("--all")
    assert isinstance(result.exception, PlanError)
    assert not (here / "generated").exists()


@pytest.mark.parametrize("name", [".#dev.yaml", "._dev.yaml", ".yaml"])
def test_hidden_files_among_the_profiles_are_none(here: Path, name: str) -> None:
    (here / "profiles" / name).write_bytes(b"\x00\x05\x16\x07")
    (here / "profiles" / ".#prod.yaml").symlink_to("somebody@machine.1234")
    assert run("--all").exit_code == 0
    assert sorted(path.name for path in (here / "generated").iterdir()) == ["dev", "prod"]


@pytest.mark.parametrize("arguments", [(), ("--all", "--profile", "dev"), ("--all", "--check", "--force")])
def test_what_contradicts_itself_is_wrong_usage(here: Path, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
    assert not (here / "generated").exists()


def test_the_current_folder_is_no_place_to_render_into(here: Path) -> None:
    assert isinstance(run("--profile", "dev", "--output", ".").exception, WriteError)
    assert (here / "profiles").is_dir()


@pytest.mark.slow
def test_a_cold_render_costs_at_most_ten_times_the_import_of_its_libraries(here: Path) -> None:
    def seconds(*arguments: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=here, check=True, capture_output=True)
        return time.perf_counter() - begun

    # Both by turns, and the best of each: a busy machine slows either alike.
    pairs = [
        (seconds("-m", "loom.cli", "render", "--profile", "dev"), seconds("-c", "import pydantic, jinja2"))
        for _ in range(5)
    ]
    ours, theirs = (min(column) for column in zip(*pairs, strict=True))
    assert ours <= 10 * theirs, f"{ours / theirs:.1f} times"


def test_a_folder_that_was_removed_is_no_place_to_be_in(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = here / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = run("--profile", "dev")
    assert isinstance(result.exception, WriteError)
    assert "generated/dev  the folder you are in was removed" in str(result.exception)
    assert run("--profile", "dev", "--output", str(here / "out")).exit_code == 0
    assert (here / "out" / "prometheus.yml").is_file()


def test_two_profiles_of_one_name_are_not_written_one_over_the_other(here: Path) -> None:
    for team in ("a", "b"):
        (here / team).mkdir()
        shutil.copy(here / "profiles" / "dev.yaml", here / team)
    result = run("--profile", "a/dev.yaml", "--profile", "b/dev.yaml", "--output", "out")
    assert result.exit_code == 2
    assert "a/dev.yaml and b/dev.yaml are both named dev" in result.output
    assert not (here / "out").exists()
    assert run("--profile", "dev", "--profile", "dev").exit_code == 0
