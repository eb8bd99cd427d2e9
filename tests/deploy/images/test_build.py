"""Building: once, never over what is not ours, and nothing tagged that is not whole."""

import platform
from dataclasses import replace
from pathlib import Path

import pytest

from loom.deploy import plan, profile
from loom.deploy.images import (
    Action,
    FakeDaemon,
    Origin,
    Pin,
    Present,
    Result,
    Wanted,
    Workshop,
    build,
    builder,
    inventory,
    wanted,
)
from loom.deploy.images.builder import MACHINES
from loom.deploy.images.runtime import Runtime
from loom.deploy.plan import Plan
from loom.deploy.programs import GRAFANA, LOOM, PROMETHEUS
from loom.errors import EngineError, InputError, WriteError

REPOSITORY = Path(__file__).parents[3]
PULLED = Present("sha256:upstream", 7, {}, (f"{PROMETHEUS.image}@sha256:{'a' * 64}",))


def engine(workshop: Workshop) -> FakeDaemon:
    assert isinstance(workshop.daemon, FakeDaemon)
    return workshop.daemon


def actions(images: tuple[Wanted, ...], workshop: Workshop) -> dict[str, Action]:
    told: list[Result] = []
    results = build(images, workshop, told.append)
    assert told == results
    return {result.service: result.action for result in results}


def test_every_image_is_built_but_grafanas(images: tuple[Wanted, ...], workshop: Workshop) -> None:
    done = actions(images, workshop)
    assert done.pop("grafana") is Action.IMPOSSIBLE
    assert set(done.values()) == {Action.BUILT}
    assert set(engine(workshop).images) == {one.upstream.tagged for one in images} - {GRAFANA.tagged}


def test_every_image_of_a_production_deployment_is_built_but_grafanas(workshop: Workshop) -> None:
    production = wanted(plan.derive(profile.load("prod", (), REPOSITORY / "profiles")))
    done = actions(production, workshop)
    assert "proxy" in done
    assert {name for name, action in done.items() if action is Action.IMPOSSIBLE} == {"grafana"}


def test_a_second_build_without_a_change_does_nothing(images: tuple[Wanted, ...], workshop: Workshop) -> None:
    actions(images, workshop)
    engine(workshop).done.clear()
    assert set(actions(images, workshop).values()) == {Action.UNCHANGED, Action.IMPOSSIBLE}
    assert engine(workshop).done == []


def test_a_changed_program_is_built_alone_and_what_it_replaces_is_removed(
    images: tuple[Wanted, ...], workshop: Workshop, programs: dict[str, Path]
) -> None:
    actions(images, workshop)
    before = engine(workshop).images[PROMETHEUS.tagged].id
    engine(workshop).done.clear()
    programs["promtool"].write_text("another build of it")
    done = actions(images, workshop)
    assert [name for name, action in done.items() if action is Action.BUILT] == ["prometheus"]
    assert engine(workshop).done == [f"build {PROMETHEUS.tagged}", f"remove {before}"]


def test_an_image_that_was_pulled_stays(images: tuple[Wanted, ...], workshop: Workshop) -> None:
    engine(workshop).images[PROMETHEUS.tagged] = PULLED
    assert actions(images, workshop)["prometheus"] is Action.KEPT
    assert engine(workshop).images[PROMETHEUS.tagged] == PULLED


def test_an_image_that_was_loaded_from_an_archive_stays(
    images: tuple[Wanted, ...], workshop: Workshop
) -> None:
    engine(workshop).images[PROMETHEUS.tagged] = replace(PULLED, digests=())
    assert actions(images, workshop)["prometheus"] is Action.KEPT


def test_force_replaces_a_pulled_image_and_does_not_remove_it(
    images: tuple[Wanted, ...], workshop: Workshop
) -> None:
    engine(workshop).images[PROMETHEUS.tagged] = PULLED
    assert actions(images, replace(workshop, force=True))["prometheus"] is Action.BUILT
    assert engine(workshop).images[PROMETHEUS.tagged].origin is Origin.BUILT
    assert f"remove {PULLED.id}" not in engine(workshop).done


def test_grafana_that_is_here_is_kept_and_one_that_is_not_says_how_to_get_it(
    images: tuple[Wanted, ...], workshop: Workshop
) -> None:
    only = tuple(one for one in images if one.service == "grafana")
    (result,) = build(only, workshop, lambda _result: None)
    assert f"docker pull {GRAFANA.tagged}" in result.detail
    engine(workshop).images[GRAFANA.tagged] = PULLED
    assert actions(only, workshop) == {"grafana": Action.KEPT}


def test_a_build_that_fails_tags_nothing(
    images: tuple[Wanted, ...], workshop: Workshop, tmp_path: Path
) -> None:
    engine(workshop).failure = "no space left on device"
    with pytest.raises(EngineError, match="no space left"):
        actions(images, workshop)
    assert engine(workshop).images == {}
    assert list((tmp_path / ".cache" / "loom-deploy").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_told_with_its_place(
    images: tuple[Wanted, ...], workshop: Workshop, tmp_path: Path
) -> None:
    (tmp_path / ".cache").write_text("a file where the folder should be")
    with pytest.raises(WriteError, match=r"\.cache/loom-deploy"):
        actions(images, workshop)


def test_a_disk_that_fills_while_looms_image_is_staged_is_told_and_nothing_is_tagged(
    images: tuple[Wanted, ...], workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(workshop.runtime), "stage", full)
    loom = tuple(one for one in images if one.program is LOOM)
    with pytest.raises(WriteError, match="No space left on device"):
        actions(loom, workshop)
    assert engine(workshop).images == {}


def test_an_engine_of_another_machine_is_refused_before_anything_is_built(
    images: tuple[Wanted, ...], tmp_path: Path
) -> None:
    workshop = Workshop(FakeDaemon(engine="linux/other"), {"HOME": str(tmp_path)})
    with pytest.raises(EngineError, match="linux/other"):
        build(images, workshop, lambda _result: None)


def test_this_machines_processor_is_one_that_docker_knows() -> None:
    builder._same_machine(f"linux/{MACHINES[platform.machine()]}")


def test_programs_that_are_missing_are_named_with_what_to_run(
    images: tuple[Wanted, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "_same_machine", lambda _engine: None)
    workshop = Workshop(FakeDaemon(), {"HOME": str(tmp_path), "PATH": ""})
    with pytest.raises(Exception, match="toolchain install") as caught:
        build(images, workshop, lambda _result: None)
    assert all(name in str(caught.value) for name in ("otelcol", "jaeger", "promtool", "amtool"))


def test_looms_image_is_not_built_without_its_repository(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="images load"):
        Runtime(tmp_path).require()


def test_a_plan_wants_the_image_of_every_container_and_looms(dev: Plan) -> None:
    assert {one.program.name for one in wanted(dev)} == {
        *(container.program.name for container in dev.containers),
        LOOM.name,
    }


def test_a_service_that_is_none_is_named_with_the_one_that_was_meant(dev: Plan) -> None:
    with pytest.raises(InputError, match="did you mean 'prometheus'"):
        wanted(dev, ("promethius", "jaeger"))


def test_the_list_tells_pulled_loaded_built_and_missing_apart(
    images: tuple[Wanted, ...], workshop: Workshop
) -> None:
    references = {one.service: one.upstream.tagged for one in images}
    actions(tuple(one for one in images if one.service == "jaeger"), workshop)
    engine(workshop).images[references["prometheus"]] = PULLED
    engine(workshop).images[references["alertmanager"]] = replace(PULLED, digests=())
    rows = {row.service: row for row in inventory(images, engine(workshop))}
    assert rows["jaeger"].origin is Origin.BUILT
    assert rows["jaeger"].source == "github.com/jaegertracing/jaeger@v1.76.0"
    assert rows["prometheus"].origin is Origin.PULLED
    assert rows["alertmanager"].origin is Origin.LOADED
    assert rows["grafana"].origin is Origin.MISSING
    assert {row.pin for row in rows.values()} == {Pin.NONE}
