"""Installing with a fake Go: whole or not at all, once, and again when the recipe changes."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy.programs import AMTOOL, GRAFANA, JAEGER, PROMETHEUS, PROMTOOL
from loom.deploy.toolchain import RECIPES, FakeGo, Heard, Phase, Site, clean, install, locate
from loom.deploy.toolchain.progress import remaining
from loom.errors import ToolchainError

KILLED = "stands in for kill -9: nothing of ours handles it"


def _builds(fake: FakeGo) -> list[str]:
    return [command.arguments[-1] for command in fake.commands if command.arguments[1] == "build"]


def _home(site: Site, name: str) -> Path:
    return site.cache.home(RECIPES[name].program)


def test_an_installed_program_is_found_at_its_version(site: Site, heard: Heard) -> None:
    located = install([PROMETHEUS, PROMTOOL], report=heard, site=site)
    assert [(one.program.name, one.source, one.version) for one in located] == [
        ("prometheus", "cache", "3.16.0"),
        ("promtool", "cache", "3.16.0"),
    ]
    assert located[0].path == site.cache.root / "bin" / "prometheus-3.16.0" / "prometheus"
    assert locate(PROMTOOL, site.environ) == located[1]


def test_progress_counts_modules_then_packages(site: Site, heard: Heard) -> None:
    install([JAEGER], report=heard, site=site)
    assert heard.phases == [Phase.DOWNLOADING, Phase.COMPILING, Phase.DONE]
    assert [one.detail for one in heard if one.phase is Phase.COMPILING] == [
        "0/2 packages",
        "1/2 packages",
        "2/2 packages",
    ]
    assert all(one.estimate >= one.elapsed for one in heard)


def test_what_is_there_is_left_alone(site: Site, fake: FakeGo, heard: Heard) -> None:
    install([JAEGER], report=heard, site=site)
    heard.clear()
    install([JAEGER], report=heard, site=site)
    assert len(_builds(fake)) == 1
    assert heard == []


def test_a_program_on_path_is_not_built(
    site: Site, fake: FakeGo, heard: Heard, on_path: Callable[[str, str], Path]
) -> None:
    on_path("jaeger", "echo jaeger version v2.13.0")
    assert install([JAEGER], report=heard, site=site)[0].source == "path"
    assert fake.commands == []


def test_the_compiler_gets_the_pins_and_none_of_the_users_flags(site: Site, fake: FakeGo) -> None:
    users = {
        "GOFLAGS": "-race",
        "CGO_ENABLED": "1",
        "GOTOOLCHAIN": "auto",
        "GOPROXY": "off",
        "HTTPS_PROXY": "p",
    }
    place = dataclasses.replace(site, environ={**site.environ, **users})
    install([PROMETHEUS], report=Heard(), jobs=3, site=place)
    build = fake.commands[-1]
    assert "-p=3" in build.arguments
    assert "-trimpath" in build.arguments
    assert "-ldflags=-s -w -X github.com/prometheus/common/version.Version=3.16.0" in build.arguments
    assert build.environ["GOFLAGS"] == "-mod=readonly -modcacherw -buildvcs=false"
    assert (build.environ["CGO_ENABLED"], build.environ["GOTOOLCHAIN"]) == ("0", "local")
    assert (build.environ["GOPROXY"], build.environ["HTTPS_PROXY"]) == ("off", "p")
    caches = [build.environ[key] for key in ("GOCACHE", "GOMODCACHE", "GOPATH")]
    assert all(cache.startswith(str(site.cache.root)) for cache in caches)


def test_a_failing_build_says_the_compilers_last_words_and_where_the_log_is(
    site: Site, fake: FakeGo, heard: Heard
) -> None:
    fake.failure = "\n".join(f"line {number}" for number in range(40)) + "\nmain.go:1: undefined: x"
    with pytest.raises(ToolchainError) as caught:
        install([JAEGER], report=heard, site=site)
    (problem,) = caught.value.problems
    assert "main.go:1: undefined: x" in problem.message
    assert "line 2\n" not in problem.message
    assert "line 2\n" in Path(problem.file).read_text()
    assert Path(problem.file) == site.cache.root / "log" / "jaeger.log"
    assert heard[-1].phase is Phase.FAILED
    assert locate(JAEGER, site.environ) is None


def test_one_failure_does_not_keep_the_others_from_being_built(site: Site, fake: FakeGo) -> None:
    fake.versions = {**fake.versions, "jaeger": "0.0.1"}
    with pytest.raises(ToolchainError, match=r"does not say version 2\.13\.0 but `0\.0\.1`") as caught:
        install([JAEGER, PROMTOOL], report=Heard(), site=site)
    assert len(caught.value.problems) == 1
    assert locate(PROMTOOL, site.environ) is not None
    assert not _home(site, "jaeger").exists()


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit(KILLED)])
def test_a_broken_off_build_leaves_nothing_and_the_next_one_succeeds(
    site: Site, fake: FakeGo, end: BaseException | type[BaseException]
) -> None:
    def stop(target: Path) -> None:
        assert target.exists()
        raise end

    fake.compiling = stop
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        install([JAEGER], report=Heard(), site=site)
    assert not _home(site, "jaeger").exists()
    assert list(site.cache.work.iterdir()) == []
    fake.compiling = lambda _target: None
    assert install([JAEGER], report=Heard(), site=site)[0].version == "2.13.0"


def test_what_a_killed_installation_left_behind_is_swept_away(site: Site) -> None:
    left = site.cache.work / "jaeger-abc" / "out"
    left.mkdir(parents=True)
    (left / "jaeger").write_text("half")
    install([JAEGER], report=Heard(), site=site)
    assert list(site.cache.work.iterdir()) == []


def test_a_changed_recipe_builds_again_and_replaces(
    site: Site, fake: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    install([JAEGER], report=Heard(), site=site)
    changed = dataclasses.replace(RECIPES["jaeger"], tags="other")
    monkeypatch.setitem(RECIPES, "jaeger", changed)
    assert locate(JAEGER, site.environ) is None
    install([JAEGER], report=Heard(), site=site)
    assert locate(JAEGER, site.environ) is not None
    assert len(_builds(fake)) == 2


@pytest.mark.parametrize("damage", ["truncated", "no stamp", "stamp is no JSON", "stamp is a list"])
def test_a_damaged_installation_is_not_used_and_is_mended(site: Site, fake: FakeGo, damage: str) -> None:
    install([JAEGER], report=Heard(), site=site)
    home = _home(site, "jaeger")
    if damage == "truncated":
        (home / "jaeger").write_text("#!")
    elif damage == "no stamp":
        (home / "stamp.json").unlink()
    else:
        (home / "stamp.json").write_text("[]" if damage == "stamp is a list" else "{")
    assert locate(JAEGER, site.environ) is None
    install([JAEGER], report=Heard(), site=site)
    assert len(_builds(fake)) == 2
    assert locate(JAEGER, site.environ) is not None


def test_a_module_that_lacks_files_is_built_from_a_completed_copy(
    site: Site, fake: FakeGo, tmp_path: Path
) -> None:
    fake.upstream = tmp_path / "upstream"
    fake.upstream.mkdir(mode=0o555)
    seen: list[str] = []

    def look(target: Path) -> None:
        work = target.parent.parent
        assert (work / "upstream" / "ui" / "app" / "dist" / "index.html").is_file()
        seen.append((work / "go.mod").read_text().splitlines()[-1])

    fake.compiling = look
    install([AMTOOL], report=Heard(), site=site)
    assert seen == ["replace github.com/prometheus/alertmanager => ./upstream"]
    assert "./upstream" not in (RECIPES["amtool"].source / "go.mod").read_text()


def test_a_program_without_a_recipe_is_refused(site: Site) -> None:
    with pytest.raises(ToolchainError, match=r"there is no recipe for grafana 13\.2\.3"):
        install([GRAFANA], report=Heard(), site=site)


def test_cleaning_removes_gos_caches_and_keeps_the_programs(site: Site) -> None:
    install([JAEGER], report=Heard(), site=site)
    (site.cache.go / "mod").mkdir(parents=True)
    clean(site.environ)
    assert not site.cache.go.exists()
    assert locate(JAEGER, site.environ) is not None


def test_what_remains_moves_from_the_measured_time_to_this_machines_pace() -> None:
    assert remaining(100, 0, 0, 50) == 100
    assert remaining(100, 100, 50, 100) == 75
    assert remaining(100, 500, 100, 100) == 0
    assert remaining(100, 30, 0, 0) == 70
