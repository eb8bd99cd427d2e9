"""The installed programs themselves. They fail where it is absent: a check that cannot run says so."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from loom.deploy.programs import AMTOOL, CADDY, DOCKER_COMPOSE, OTELCOL, THANOS
from loom.deploy.toolchain import (
    PREAMBLE,
    RECIPES,
    Command,
    GrafanaSchema,
    ProcessRunner,
    Site,
    ask,
    grafana_schema,
    locate,
    require,
)
from loom.deploy.toolchain.find import lacking
from loom.deploy.toolchain.go import find_go
from loom.deploy.toolchain.recipe import Recipe

pytestmark = pytest.mark.smoke

GO = [recipe for recipe in RECIPES.values() if recipe.package]
AGGREGATION = """
receivers: {otlp: {protocols: {grpc: {}}}}
processors:
  cumulativetodelta: {}
  resource: {attributes: [{key: service.instance.id, action: delete}]}
  groupbyattrs: {}
  metricstransform:
    transforms:
      - include: .*
        match_type: regexp
        action: update
        operations: [{action: aggregate_labels, label_set: [agent], aggregation_type: sum}]
  deltatocumulative: {max_stale: 5m}
  interval: {interval: 60s}
exporters: {debug: {}}
service:
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [cumulativetodelta, resource, groupbyattrs, metricstransform, deltatocumulative, interval]
      exporters: [debug]
"""
DASHBOARD = {
    "title": "Loom",
    "uid": "loom",
    "schemaVersion": 42,
    "graphTooltip": 1,
    "tags": ["loom"],
    "templating": {"list": [{"name": "agent", "type": "query", "auto": False}]},
    "panels": [
        {
            "type": "timeseries",
            "title": "Events",
            "gridPos": {"h": 8, "w": 12, "x": 0, "y": 0},
            "fieldConfig": {"defaults": {"thresholds": {"mode": "absolute", "steps": []}}, "overrides": []},
            "targets": [{"refId": "A", "expr": "up"}],
        }
    ],
}


def _name(recipe: Recipe) -> str:
    return recipe.program.name


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=_name)
def test_a_program_is_installed_at_its_pinned_version(recipe: Recipe) -> None:
    located = locate(recipe.program, os.environ)
    assert located is not None, f"{recipe.program.name} is missing; run: loom-deploy toolchain install"
    if recipe.package:
        assert ask(recipe, located.path) == recipe.program.version
        assert not lacking(recipe, located.path)


@pytest.mark.parametrize("recipe", GO, ids=_name)
def test_the_checksums_are_complete_for_all_that_is_compiled(recipe: Recipe, tmp_path: Path) -> None:
    # `-mod=readonly` fails on any module that go.sum does not vouch for; `-e`, for Alertmanager lacks a file.
    work = shutil.copytree(recipe.source, tmp_path / "work")
    go = find_go()
    environ = go.environ(Site().cache.go, os.environ)
    arguments = (str(go.binary), "list", "-e", "-deps", *recipe.flags, "-f={{.DepsErrors}}", recipe.package)
    lines: list[str] = []
    assert ProcessRunner().run(Command(arguments, work, environ), lines.append) == 0, lines
    assert not [line for line in lines if "go.sum" in line or "go.mod" in line]
    assert (work / "go.sum").read_bytes() == (recipe.source / "go.sum").read_bytes()


@pytest.mark.parametrize("name", ["jaeger", "thanos"])
def test_what_a_program_replaces_is_replaced_here_too(name: str, tmp_path: Path) -> None:
    # Go takes `replace` from the main module only: here that is ours, not the program's.
    work = shutil.copytree(RECIPES[name].source, tmp_path / "work")
    go = find_go()
    folders: list[str] = []
    module = RECIPES[name].package.partition("/cmd/")[0]
    command = (str(go.binary), "list", "-m", "-f={{.GoMod}}", module)
    runner = ProcessRunner()
    assert runner.run(Command(command, work, go.environ(Site().cache.go, os.environ)), folders.append) == 0
    upstream = set(re.findall(r"^\s*(?:replace )?(\S+.*=>.+)$", Path(folders[-1]).read_text(), re.MULTILINE))
    ours = (work / "go.mod").read_text()
    assert upstream
    assert [line for line in upstream if line not in ours] == []


def test_the_collector_takes_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "receivers: {otlp: {protocols: {grpc: {}}}}\nexporters: {debug: {}}\n"
        "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"
    )
    otelcol = require(OTELCOL)["otelcol"]
    assert subprocess.run([otelcol, "validate", f"--config={config}"], check=False).returncode == 0
    config.write_text(config.read_text().replace("debug: {}", "debugg: {}"))
    assert subprocess.run([otelcol, "validate", f"--config={config}"], check=False).returncode == 1


def test_the_collector_has_what_sums_the_series_of_several_processes(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(AGGREGATION)
    otelcol = require(OTELCOL)["otelcol"]
    done = subprocess.run([otelcol, "validate", f"--config={config}"], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_caddy_takes_and_refuses(tmp_path: Path) -> None:
    file = tmp_path / "Caddyfile"
    environ = {"HOME": str(tmp_path)}
    check: list[str | Path] = [
        require(CADDY)["caddy"],
        "validate",
        "--config",
        file,
        "--adapter",
        "caddyfile",
    ]
    file.write_text("{\n\tadmin off\n\tauto_https off\n}\n:20443 {\n\treverse_proxy 127.0.0.1:20444\n}\n")
    assert subprocess.run(check, check=False, env=environ, capture_output=True).returncode == 0
    file.write_text(file.read_text().replace("reverse_proxy", "reverse_proxi"))
    refused = subprocess.run(check, check=False, env=environ, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "reverse_proxi" in refused.stderr


def test_thanos_takes_and_refuses_rules(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    check: list[str | Path] = [require(THANOS)["thanos"], "tools", "rules-check", f"--rules={rules}"]
    rules.write_text("groups: [{name: one, rules: [{record: a, expr: sum(b)}]}]\n")
    assert subprocess.run(check, check=False, capture_output=True).returncode == 0
    rules.write_text(rules.read_text().replace("sum(b)", "sum(b"))
    assert subprocess.run(check, check=False, capture_output=True).returncode != 0


def test_amtool_and_compose_take_and_refuse(tmp_path: Path) -> None:
    routes = tmp_path / "alertmanager.yml"
    routes.write_text("route: {receiver: one}\nreceivers: [{name: one}]\n")
    compose = tmp_path / "compose.yaml"
    compose.write_text("services: {one: {image: example}}\n")
    found = require(AMTOOL, DOCKER_COMPOSE)
    checks: tuple[list[str | Path], ...] = (
        [found["amtool"], "check-config", routes],
        [found["docker-compose"], "-f", compose, "config", "-q"],
    )
    for check in checks:
        assert subprocess.run(check, check=False, env={"HOME": str(tmp_path)}).returncode == 0
    routes.write_text("route: {receiver: two}\nreceivers: [{name: one}]\n")
    compose.write_text("services: {one: {imagge: example}}\n")
    for check in checks:
        assert subprocess.run(check, check=False, env={"HOME": str(tmp_path)}).returncode != 0


def _complaints(schema: GrafanaSchema, folder: Path, dashboard: object) -> str:
    (folder / "dashboard.ts").write_text(PREAMBLE + json.dumps(dashboard, indent=2) + ";\n")
    (folder / "tsconfig.json").write_text(schema.project(["dashboard.ts"]))
    done = subprocess.run(schema.command(folder), capture_output=True, text=True, check=False, cwd=folder)
    assert bool(done.returncode) == bool(done.stdout)
    return done.stdout


@pytest.fixture(scope="module")
def schema() -> GrafanaSchema:
    return grafana_schema(os.environ)


def test_grafanas_own_types_accept_a_classic_dashboard(schema: GrafanaSchema, tmp_path: Path) -> None:
    assert _complaints(schema, tmp_path, DASHBOARD) == ""


@pytest.mark.parametrize(
    ("dashboard", "complaint"),
    [
        ({"dashboard": DASHBOARD}, "'\"dashboard\"' does not exist"),
        ({**DASHBOARD, "titel": "x"}, "'\"titel\"' does not exist"),
        ({**DASHBOARD, "panels": [{"type": "stat", "gridPoz": {}}]}, "'\"gridPoz\"' does not exist"),
        ({**DASHBOARD, "templating": {"list": [{"name": "a", "type": "querry"}]}}, "querry"),
        ({**DASHBOARD, "schemaVersion": "42"}, "not assignable to type 'number'"),
        ({"title": "no schemaVersion"}, "schemaVersion"),
    ],
    ids=["wrapped", "unknown key", "unknown key in a panel", "unknown value", "wrong type", "missing key"],
)
def test_grafanas_own_types_refuse(
    schema: GrafanaSchema, tmp_path: Path, dashboard: object, complaint: str
) -> None:
    said = _complaints(schema, tmp_path, dashboard)
    assert complaint in said
    assert said.startswith("dashboard.ts(")
