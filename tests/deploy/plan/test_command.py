"""`loom-deploy plan`: what is shown to people and to machines."""

import json

import pytest
from click.testing import CliRunner, Result

from loom.cli.plan import command
from loom.deploy.plan import derive
from loom.deploy.profile import load


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_people_see_every_service_with_its_image_memory_and_ports(name: str) -> None:
    result = run("--profile", name)
    plan = derive(load(name))
    assert result.exit_code == 0
    found = {line.split()[0]: line for line in reversed(result.output.splitlines()) if line.strip()}
    for container in plan.containers:
        row = found[str(container.service)]
        assert container.program.reference in row
        assert f"{container.memory_mib} MiB" in row
        assert (f"{container.gomemlimit_mib} MiB" in row) == bool(container.gomemlimit_mib)
        shown = {
            str(port.native) for port in plan.ports if port.service is container.service and port.published
        }
        assert shown <= set(row.split())


def test_a_port_is_shown_once_unless_it_is_another_on_the_host() -> None:
    [collector, *_] = rows("--profile", "dev")
    assert " 4317 4318 " in collector
    [moved, *_] = rows("--profile", "dev", "--set", "ports.offset=7600")
    assert " 11917:4317 11918:4318 " in moved


def rows(*arguments: str) -> list[str]:
    """The lines below the first head, as far as they belong to services."""
    return run(*arguments).output.partition("GOMEMLIMIT")[2].splitlines()[1:]


def test_people_see_every_edge_and_what_is_waived_until_when() -> None:
    output = run("--profile", "prod").output
    plan = derive(load("prod"))
    lines = output.splitlines()
    for edge in plan.edges:
        (row,) = (line for line in lines if line.startswith(f"{edge.name} "))
        assert ("waived" in row) == (edge.waiver is not None)
        assert ("yes" in row.split()) == edge.encrypted
        if edge.waiver:
            assert f"  {edge.name} until {edge.waiver.until}: {edge.waiver.reason}" in lines


def test_people_see_retention_queue_and_what_is_reached_first() -> None:
    output = run("--profile", "prod").output
    assert "30d or 50GB: time is reached first, after 30 days" in output
    assert "7d on disk, about 260 GiB of 500 GiB" in output
    assert "200,000 on disk, about 195 MiB when full, lasts 5.56 minutes of spans" in output
    assert not [line for line in output.splitlines() if line.startswith("note: ") and "$.metrics" in line]


REACHED = ("metrics.retention.size=20GB", "alerting.slo.window=14d")
"""The size is reached before the time; an objective over a longer window would be refused."""


def test_a_note_says_what_may_surprise() -> None:
    result = run("--profile", "prod", *(each for one in REACHED for each in ("--set", one)))
    assert result.exit_code == 0
    assert "size is reached first, after 18.7 days, 20 GiB" in result.stdout
    assert "note: --set  $.metrics.retention.size: 20GB are full" in result.stderr


def test_output_that_is_no_terminal_has_no_escape_codes_and_no_boxes() -> None:
    output = run("--profile", "dev").output
    assert "\x1b" not in output
    assert output.isascii()


def test_machines_get_the_same_as_json_and_nothing_else() -> None:
    result = run("--profile", "prod", "--json")
    summary = json.loads(result.stdout)
    assert summary["profile"] == "prod"
    assert summary["limiter"] == {"limit_mib": 1024, "spike_mib": 256}
    assert summary["metrics"]["limit"] == "time"
    collector = summary["services"][0]
    assert collector["container"] == "loom-otel-collector"
    port = {"purpose": "otlp_grpc", "container": 4317, "host": 4317, "published": True, "outside": False}
    assert port in collector["ports"]
    assert result.stderr == ""


def test_a_profile_must_be_named() -> None:
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 2
    assert "--profile" in result.output
