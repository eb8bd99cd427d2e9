"""The documents: links that lead somewhere, commands that exist, names that are queryable."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

import click
import promql_parser
import pytest
import yaml

from loom.cli.main import group
from loom.contract import attributes, environment, metrics, spans
from loom.contract.series import Series
from loom.deploy.artifacts import Artifact
from loom.deploy.artifacts.documents import artifacts, traffic
from loom.deploy.artifacts.documents.metrics import examples, first
from loom.deploy.plan import Plan
from loom.deploy.plan.edges import OPERATOR
from loom.deploy.plan.identity import CA, CERTIFICATE, KEY, identities, secrets
from loom.deploy.plan.model import Method, Purpose, Service

Read = Callable[[str], str]
Rendered = dict[str, Artifact]
DOCUMENTS = ("QUICKSTART.md", "METRICS.md", "FILES.md")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(text: str, language: str) -> str:
    return "\n".join(body for kind, body in BLOCK.findall(text) if kind == language)


def _commands(text: str) -> list[list[str]]:
    """Every shell command of the document, in blocks and in running text."""
    joined = _blocks(text, "bash").replace("\\\n", " ")
    lines = [*joined.splitlines(), *re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))]
    return [shlex.split(line, comments=True) for line in lines if line.strip() and '"' not in line[:1]]


def test_the_three_documents_of_the_original_lie_beside_each_other(rendered: Rendered) -> None:
    assert set(DOCUMENTS) <= set(rendered)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_link_leads_to_a_file_that_was_rendered(name: str, read: Read, rendered: Rendered) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", read(name))
    assert targets
    for target in targets:
        assert target.startswith("./"), target
        assert PurePosixPath(target).as_posix() in rendered


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name: str, read: Read) -> None:
    cells = 0
    for line in BLOCK.sub("", read(name)).splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        count = len(re.findall(r"(?<!\\)\|", line))
        assert cells in {0, count}, line
        cells = count


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_of_the_template_shows(name: str, read: Read) -> None:
    prose = BLOCK.sub("(code)", read(name))
    assert "{%" not in read(name)
    assert not re.search(r"\bNone\b|Style\.|\n\n\n\n", prose)


def test_documents_are_the_same_whoever_renders_them(plan: Plan, rendered: Rendered) -> None:
    others = tuple(artifact for path, artifact in rendered.items() if path not in DOCUMENTS)
    again = artifacts(plan, others)
    assert [rendered[artifact.path] for artifact in again] == list(again)


def test_the_list_of_files_is_complete_and_has_a_reader_for_each(read: Read, rendered: Rendered) -> None:
    rows = [line.split(" | ") for line in read("FILES.md").splitlines() if line.startswith("| [`")]
    assert [re.findall(r"`([^`]+)`", row[0])[0] for row in rows] == sorted(rendered)
    for row in rows:
        assert row[1].endswith(".")
        assert row[2].strip(" |")
    drawn = _blocks(read("FILES.md"), "")
    assert sum(not line.endswith("/") for line in drawn.splitlines()) == len(rendered) + 1


def test_a_dashboard_is_read_by_grafana_and_a_document_by_you(read: Read) -> None:
    rows = {line.split("`")[1]: line for line in read("FILES.md").splitlines() if line.startswith("| [`")}
    assert "| Grafana |" in rows["grafana/dashboards/loom-overview.json"]
    assert "| Grafana |" in rows["grafana/provisioning/datasources/loom.yaml"]
    assert "| you |" in rows["QUICKSTART.md"]


def test_every_metric_has_its_names_type_unit_labels_and_a_query(plan: Plan, read: Read) -> None:
    text = read("METRICS.md")
    for metric in metrics.ALL:
        row = next(
            line for line in text.splitlines() if line.startswith("|") and f"| `{metric.name}` |" in line
        )
        assert all(f"`{series.name}`" in row for series in plan.naming.all_series(metric))
        assert f"| {metric.kind.prometheus_type} | `{metric.unit}` |" in row
        for attribute in metric.attributes:
            assert f"`{attribute.label}`" in row
            assert all(f"`{value}`" in row for value in attribute.values)
            assert not attribute.budget or f"at most {attribute.budget} values" in row
        assert metric.description in row


def test_every_span_has_its_row(read: Read) -> None:
    rows = [line for line in read("METRICS.md").splitlines() if line.startswith("| `")]
    for span in spans.ALL:
        assert [row for row in rows if row.startswith(f"| `{span.name}") and span.description in row], (
            span.key
        )


def _known(plan: Plan) -> dict[str, Series]:
    return {series.name: series for metric in metrics.ALL for series in plan.naming.all_series(metric)}


def test_the_first_queries_are_a_count_and_the_five_of_the_original(plan: Plan) -> None:
    asked = [
        metrics.event_bus.PUBLISHED,
        metrics.event_bus.PUBLISHED,
        metrics.action_broker.INVOKE_LATENCY,
        metrics.agent_runtime.AGENTS_ACTIVE,
        metrics.action_broker.INVOCATIONS,
        metrics.mcp_manager.TOOLS_REGISTERED,
    ]
    for example, metric in zip(first(plan), asked, strict=True):
        assert example.query.series <= set(plan.naming.all_series(metric))


def test_the_first_query_looks_at_no_window_and_a_load_comes_before_the_one_that_does(read: Read) -> None:
    count, rate = (query.strip() for kind, query in BLOCK.findall(read("QUICKSTART.md")) if kind == "promql")
    assert "[" not in count
    assert count.startswith(f"sum by ({attributes.TOPIC.label}) (")
    assert "rate(" in rate
    text = read("QUICKSTART.md")
    assert text.index(count) < text.index(f"python -m {traffic.MODULE}") < text.index(rate)


def test_the_load_takes_its_arguments_and_outlasts_the_scrapes_that_a_rate_needs(plan: Plan) -> None:
    _python, _m, module, *arguments = shlex.split(traffic.load(plan))
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    known = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(f"{option} " in known for option in given)
    times = plan.profile.metrics
    assert float(given["--seconds"]) >= 2 * times.export_interval.seconds + times.scrape_interval.seconds


def test_every_query_parses_and_is_about_its_metric(plan: Plan, read: Read) -> None:
    shown = _blocks(read("METRICS.md"), "promql")
    known = _known(plan)
    for metric in metrics.ALL:
        assert examples(plan, metric), metric.name
        for example in examples(plan, metric):
            promql_parser.parse(example.query.text)
            assert example.query.text in shown
            assert {series.name for series in example.query.series} <= set(known)
            assert example.query.series <= set(plan.naming.all_series(metric))


def test_every_query_that_is_shown_parses(read: Read) -> None:
    for name in ("METRICS.md", "QUICKSTART.md"):
        lines = _blocks(read(name), "promql").splitlines()
        queries = [line for line in lines if line and not line.startswith("#")]
        assert queries
        for query in queries:
            promql_parser.parse(query)


def test_every_address_is_one_that_the_profile_publishes(plan: Plan, read: Read) -> None:
    shown = set(re.findall(r"(https?)://localhost:(\d+)", read("QUICKSTART.md")))
    published = [port for port in plan.ports if port.published]
    assert shown <= {(plan.scheme(port.service, port.purpose), str(port.native)) for port in published}
    assert {str(port.native) for port in published if port.purpose == "ui"} <= {port for _, port in shown}
    assert set(re.findall(r"localhost:(\d+)", read("QUICKSTART.md"))) == {port for _, port in shown}


def test_what_loom_is_told_is_what_its_profile_says(plan: Plan, read: Read, rendered: Rendered) -> None:
    exported = dict(re.findall(r"^export (\w+)=(.*)$", read("QUICKSTART.md"), re.MULTILINE))
    assert exported[environment.SAMPLER.name] == str(plan.profile.tracing.sampler)
    assert exported[environment.ENVIRONMENT.name] == plan.profile.environment
    assert set(exported) <= {variable.name for variable in environment.ALL}
    told = rendered[".env"].text
    for name, value in exported.items():
        beside = value.replace("localhost", "127.0.0.1").replace("secrets/", "${LOOM_SECRETS:-./secrets}/")
        assert f"\n{name}={beside}\n" in told
    set_there = set(re.findall(r"^(\w+)=", told, re.MULTILINE))
    assert set_there - set(exported) == {environment.EXPORT_INTERVAL.name}


def test_every_command_of_ours_exists_with_its_options(read: Read) -> None:
    ours = [
        command for name in DOCUMENTS for command in _commands(read(name)) if command[:1] == ["loom-deploy"]
    ]
    assert {command[1] for command in ours} >= {"up", "down", "verify", "toolchain", "render", "validate"}
    context = click.Context(group)
    for command in ours:
        found = group.get_command(context, command[1])
        if isinstance(found, click.Group):
            found = found.get_command(context, command[2])
        assert found, command
        known = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in command if word.startswith("--")} <= known, command


def test_the_example_can_be_run(read: Read) -> None:
    modules = [command[2] for command in _commands(read("QUICKSTART.md")) if command[:2] == ["python", "-m"]]
    assert modules
    assert all(find_spec(module) for module in modules)


def test_every_compose_command_names_the_file(read: Read, rendered: Rendered) -> None:
    commands = [
        command for command in _commands(read("QUICKSTART.md")) if command[:2] == ["docker", "compose"]
    ]
    verbs = set()
    for command in commands:
        named = command.index("-f") + 1
        assert command[named] in rendered
        verbs.add(command[named + 1])
    assert verbs == {"up", "ps", "down"}


def test_cleaning_up_removes_the_images_that_were_pulled_and_no_container_by_pattern(
    plan: Plan, read: Read
) -> None:
    commands = _commands(read("QUICKSTART.md"))
    removed = next(command[2:] for command in commands if command[:2] == ["docker", "rmi"])
    assert removed == [container.program.reference for container in plan.containers]
    assert not [command for command in commands if command[:2] == ["docker", "rm"]]


def _steps(text: str) -> str:
    """The first block of commands: what is done before anything is started."""
    return text.partition("docker compose")[0]


def test_what_a_protected_profile_needs_is_made_before_anything_is_started(plan: Plan, read: Read) -> None:
    first = [
        command[1:3] for command in _commands(_steps(read("QUICKSTART.md"))) if command[0] == "loom-deploy"
    ]
    wanted = [["certs", "create"], ["secrets", "init"]] if plan.encrypted(Service.PROMETHEUS) else []
    image = [["images", "build"]] if Service.CANARY in plan.services else []
    assert first == wanted + image


def test_an_image_that_no_registry_serves_is_built_once_and_before_it_is_needed(read: Read) -> None:
    commands = _commands(read("QUICKSTART.md"))
    builds = [
        number for number, command in enumerate(commands) if command[:3] == ["loom-deploy", "images", "build"]
    ]
    (built,) = (number for number in builds if "--service" in commands[number])
    services: Any = yaml.safe_load(read("docker-compose.observability.yaml"))["services"]
    (name,) = commands[built][commands[built].index("--service") + 1 :]
    assert services[name]["image"].startswith("localhost/")
    starts = [number for number, command in enumerate(commands) if command[:2] == ["docker", "compose"]]
    apart = [number for number in starts if commands[number][2] == "--profile"]
    assert built < min(apart if "profiles" in services[name] else starts)


def test_troubleshooting_by_hand_shows_the_operators_credentials_and_no_password(
    plan: Plan, read: Read, tmp_path: Path
) -> None:
    text = read("QUICKSTART.md")
    asked = re.findall(r"`(ask|curl) '?(https?)://localhost:(\d+)", text)
    assert len(asked) >= 2
    for word, scheme, port in asked:
        encrypted = {
            one.native for one in plan.ports if one.published and plan.encrypted(one.service, one.purpose)
        }
        assert (word == "ask") == (scheme == "https") == (int(port) in encrypted)
    shell = _blocks(text, "bash")
    assert ("ask() {" in shell) == plan.encrypted(Service.PROMETHEUS)
    if "ask() {" not in shell:
        return
    folder = tmp_path / "secrets" / "operator"
    folder.mkdir(parents=True)
    (folder / "password").write_text("hush\n")
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n[ "${@: -3:1}" != --config ] || cat "${@: -2:1}"\n')
    curl.chmod(0o755)
    function = re.search(r"^ask\(\) \{.*?^\}$", shell, re.MULTILINE | re.DOTALL)
    assert function
    said = subprocess.run(
        ["bash", "-c", f"PATH={tmp_path}:$PATH; {function[0]}; ask https://localhost:1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    arguments = said.splitlines()
    configured = [arguments.pop()] if authenticated(plan) else []
    shown = dict(zip(arguments[::2], arguments[1::2], strict=False))
    assert configured == ['user = "operator:hush"'] * authenticated(plan)
    assert "hush" not in "".join(arguments)
    assert [shown[f"--{what}"] for what in ("cacert", "cert", "key")] == [
        f"secrets/operator/{file}" for file in ("ca.pem", "cert.pem", "key.pem")
    ]
    assert arguments[-1] == "https://localhost:1"


def authenticated(plan: Plan) -> bool:
    return plan.profile.security.authentication != "off"


def test_protection_is_claimed_where_it_is_and_no_secret_named_that_nobody_makes(
    plan: Plan, read: Read
) -> None:
    text = read("QUICKSTART.md")
    assert ("nobody gets in without a certificate or a password" in text) == authenticated(plan)
    assert ("no password is asked for" in text) == (
        plan.encrypted(Service.PROMETHEUS) and not authenticated(plan)
    )
    made = {(one.holder, one.file) for one in secrets(plan)}
    made |= {(one.name, file) for one in identities(plan) for file in (CA, CERTIFICATE, KEY)}
    assert set(re.findall(r"secrets/([\w-]+)/([\w.]+)", text)) <= made


def test_a_browser_is_given_a_certificate_where_jaeger_asks_for_one(plan: Plan, read: Read) -> None:
    asked = [
        edge
        for edge in plan.edges
        if (edge.source, edge.service, edge.purpose) == (OPERATOR, Service.JAEGER, Purpose.UI)
        and edge.method is Method.CERTIFICATE
    ]
    assert ("Jaeger asks it for a certificate" in read("QUICKSTART.md")) == bool(asked)


def test_the_password_is_named_and_never_shown(plan: Plan, read: Read) -> None:
    text, guarded = read("QUICKSTART.md"), authenticated(plan)
    assert ("password `admin`" in text) is not guarded
    assert ("`secrets/grafana/admin_password`" in text) is guarded


def test_what_is_not_tested_is_said(plan: Plan, read: Read) -> None:
    assert "the one program that our tests never run" in read("QUICKSTART.md")
    container = plan.container(Service.GRAFANA)
    assert container.program.reference in read("QUICKSTART.md")
