"""Stand-ins: the same as upstream's image from outside, and open about what they are."""

import re
from pathlib import Path

import pytest
import yaml

from loom.deploy.images.context import below, content, dockerfile, labels, source, stage, standin_content
from loom.deploy.images.model import SOURCE, Standin
from loom.deploy.images.upstream import STANDINS
from loom.deploy.programs import CADDY, JAEGER

REPOSITORY = Path(__file__).parents[3]
COMPOSE = REPOSITORY / "generated" / "dev" / "docker-compose.observability.yaml"
ALL = pytest.mark.parametrize("standin", STANDINS.values(), ids=lambda one: one.program.name)


@pytest.fixture
def parts(tmp_path: Path) -> tuple[dict[str, Path], Path]:
    """Programs of a few bytes, and certificates."""
    programs = {}
    for standin in STANDINS.values():
        for program, _ in standin.files:
            programs[program.name] = tmp_path / program.name
            programs[program.name].write_text(program.name)
            programs[program.name].chmod(0o755)
    certificates = tmp_path / "certificates"
    certificates.write_text("a certificate")
    return programs, certificates


@ALL
def test_a_dockerfile_starts_the_program_as_upstreams_user(standin: Standin) -> None:
    lines = dockerfile(standin).splitlines()
    assert [line for line in lines if line.startswith("USER")] == [f"USER {standin.user}"] * bool(
        standin.user
    )
    assert (f'ENTRYPOINT ["{standin.entrypoint}"]' in lines) == standin.entered
    assert "FROM scratch" in lines
    assert not any(line.startswith("RUN") for line in lines)


@ALL
def test_a_stand_in_names_the_module_and_version_that_it_was_built_from(standin: Standin) -> None:
    assert re.fullmatch(r"[a-z0-9.]+/\S+@v\d+\.\d+\.\d+", source(standin))


def test_caddy_is_no_entry_point_but_the_first_word_of_its_command() -> None:
    text = dockerfile(STANDINS[CADDY.name])
    command = '["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]'
    assert "ENTRYPOINT" not in text
    assert f"CMD {command}\n" in text
    assert "EXPOSE 80 443 443/udp 2019\n" in text
    assert Path(STANDINS[CADDY.name].entrypoint).parent in {Path("/bin"), Path("/usr/bin")}, "on PATH"


def test_jaegers_release_is_told_by_the_module_that_holds_it() -> None:
    assert source(STANDINS[JAEGER.name]) == "github.com/jaegertracing/jaeger@v1.76.0"


@ALL
def test_a_stand_in_is_labelled_as_built_by_us_and_not_as_upstreams(standin: Standin) -> None:
    marks = labels(standin.program.version, source(standin), "0" * 64)
    assert marks[SOURCE] == source(standin)
    assert "not published by the upstream project" in " ".join(marks.values())


@ALL
def test_a_context_holds_the_programs_where_the_entry_point_is(
    standin: Standin, parts: tuple[dict[str, Path], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "context"
    stage(standin, *parts, folder)
    for program, path in standin.files:
        placed = folder / "rootfs" / path.lstrip("/")
        assert placed.read_text() == program.name
        assert placed.stat().st_mode & 0o777 == 0o755
    assert (folder / "data").is_dir() == bool(standin.home)
    open_to_all = [path for path in (folder / "rootfs").rglob("*") if path.stat().st_mode & 0o7777 == 0o1777]
    assert {f"/{path.relative_to(folder / 'rootfs')}" for path in open_to_all} == set(standin.shared)
    assert (folder / "rootfs/etc/ssl/certs/ca-certificates.crt").read_text() == "a certificate"


@ALL
def test_another_program_or_other_certificates_make_another_image(
    standin: Standin, parts: tuple[dict[str, Path], Path]
) -> None:
    programs, certificates = parts
    before = standin_content(standin, programs, certificates)
    assert standin_content(standin, programs, certificates) == before
    tool = programs[standin.files[-1][0].name]
    tool.write_text("another build")
    changed = standin_content(standin, programs, certificates)
    certificates.write_text("another certificate")
    assert len({before, changed, standin_content(standin, programs, certificates)}) == 3


def test_the_programs_that_compose_asks_for_health_are_in_the_images() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    asked = 0
    for name, standin in STANDINS.items():
        test = services.get(name, {}).get("healthcheck", {}).get("test")
        if test:
            asked += 1
            assert test[1] in {path for _, path in standin.files}
    assert asked >= 2


def test_the_sum_of_a_folder_knows_names_bytes_and_what_can_be_run(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("compiled")
    seen = {content(below(tmp_path))}
    (tmp_path / "__pycache__" / "a.pyc").write_text("compiled again")
    assert content(below(tmp_path)) in seen
    (tmp_path / "a").chmod(0o755)
    seen.add(content(below(tmp_path)))
    (tmp_path / "a").rename(tmp_path / "b")
    seen.add(content(below(tmp_path)))
    (tmp_path / "b").write_text("two")
    seen.add(content(below(tmp_path)))
    assert len(seen) == 4
