"""Where the embedded receiver is all there is: it is asked, and what it replaces is not missed."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from loom.cli.doctor import command
from loom.deploy.doctor import Endpoint, FakeMachine, Stack, endpoints
from loom.deploy.doctor import questions as q
from loom.deploy.doctor.evidence import Sender
from loom.deploy.doctor.stack import bound
from loom.deploy.engine import Deployment, Home
from loom.deploy.engine.processes import own
from loom.deploy.plan import derive
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.profile import load
from tests.waiting import until

Case = Any
Patient = Any
PROGRAM = Path(__file__).parents[1] / "embedded" / "programs" / "whole_contract.py"
PAGE = "http://127.0.0.1:3000"


def causes(found: dict[str, Any]) -> list[str]:
    return [
        check["name"] for check in found["checks"] if check["verdict"] == "broken" and not check["because"]
    ]


def said(found: dict[str, Any], name: str) -> dict[str, Any]:
    (check,) = (each for each in found["checks"] if each["name"] == name)
    return dict(check)


@pytest.mark.slow
def test_a_healthy_receiver_is_healthy_and_what_is_not_there_is_not_applicable(bare: Patient) -> None:
    bare.example()
    own_address = f"http://{bare.plan.published(Service.COLLECTOR, Purpose.OTLP_GRPC)}"
    found = bare.doctor("--name", bare.name, OTEL_EXPORTER_OTLP_ENDPOINT=own_address)
    unwell = {
        check["name"]: check for check in found["checks"] if check["verdict"] not in {"ok", "not applicable"}
    }
    assert found["healthy"], unwell
    assert unwell == {}
    for name in ("receiver-runs", "receiver-answers", "endpoint-is-ours", "loom-reports", "contract-kept"):
        assert said(found, name)["verdict"] == "ok", said(found, name)
    for name in (
        "collector-yaml",
        "versions",
        "collector-delivers",
        "targets",
        "dashboards",
        "grafana-answers",
    ):
        assert said(found, name)["verdict"] == "not applicable", said(found, name)
    gone: dict[str, str | None] = {name: None for name in os.environ if name.startswith("OTEL_")}
    surroundings = {**gone, "XDG_STATE_HOME": str(bare.state)}
    shown = CliRunner().invoke(command, ["--name", bare.name], env=surroundings)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("healthy: ")
    # The same of a receiver that we know the address of, and nothing else.
    page = bare.address(Service.GRAFANA, Purpose.UI)
    assert said(bare.doctor("--endpoint", f"receiver={page}"), "contract-kept")["verdict"] == "ok"


@pytest.mark.slow
def test_that_nobody_reports_is_named_at_once(bare: Patient) -> None:
    found = bare.doctor("--name", bare.name)
    assert causes(found) == ["loom-reports"]
    assert said(found, "loom-reports")["evidence"] == "spans: none; metrics: none"
    assert said(found, "contract-kept")["verdict"] == "not applicable"


@pytest.mark.slow
def test_what_is_not_as_the_contract_says_is_named_in_the_receivers_words(bare: Patient) -> None:
    bare.run("run", "--name", bare.name, "--", sys.executable, str(PROGRAM), "--also", "loom.router.surprise")
    found = bare.doctor("--name", bare.name)
    assert causes(found) == ["contract-kept"]
    assert "loom.router.surprise: is not in the contract" in said(found, "contract-kept")["evidence"]
    assert bare.address(Service.GRAFANA, Purpose.UI) in said(found, "contract-kept")["remedy"]


@pytest.mark.slow
def test_a_receiver_that_was_killed_is_the_one_cause(bare: Patient) -> None:
    (process,) = own(bare.home)
    process.kill()
    until(lambda: not own(bare.home))
    found = bare.doctor("--name", bare.name)
    assert causes(found) == ["receiver-runs"]
    assert "its process is gone" in said(found, "receiver-runs")["evidence"]
    # Without it `up` might take another engine.
    assert "--engine embedded" in said(found, "receiver-runs")["remedy"]


def report(**changed: object) -> dict[str, object]:
    """Of a receiver that has received nothing."""
    return {"spans": [], "points": 0, "percent": 0.0, "broken": 0, "problems": [], **changed}


def alone(case: Case, body: object) -> Case:
    """A receiver whose address is all that is known, and what its page answers."""
    case.stack = Stack({Endpoint.RECEIVER: PAGE, Endpoint.OTLP: "http://127.0.0.1:4317"})
    case.answer(Endpoint.RECEIVER, q.REPORT, body)
    return case


def test_a_process_that_has_just_connected_is_waited_for(case: Case) -> None:
    now = case.machine.clock
    case.machine = FakeMachine(clock=now, connected={4317: (Sender(7, "agents", now - 1),)})
    (finding,) = (f for f in alone(case, report()).diagnose().findings if f.check.name == "loom-reports")
    assert finding.judgement.verdict == "cannot tell"
    assert "has just started" in finding.judgement.evidence
    case.machine = FakeMachine(clock=now, connected={4317: (Sender(7, "agents", now - 600),)})
    assert case.first() == "loom-reports"


def test_only_what_is_looms_counts_as_a_report_of_loom(case: Case) -> None:
    other = {"scope": "opentelemetry.instrumentation.httpx", "count": 9}
    assert alone(case, report(arrived=9, spans=[other])).first() == "loom-reports"
    mine = {"scope": "loom.router", "count": 2}
    assert alone(case, report(arrived=2, points=3, spans=[mine])).first() == ""


def test_of_many_problems_some_are_told_and_all_are_counted(case: Case) -> None:
    wrong = [{"message": f"m{number} is wrong", "hint": ""} for number in range(5)]
    absent = {"message": "x has not been seen", "hint": ""}
    body = report(points=3, spans=[{"scope": "loom.router", "count": 2}], broken=5, problems=[*wrong, absent])
    (finding,) = alone(case, body).diagnose().causes
    assert finding.judgement.evidence == "m0 is wrong; m1 is wrong; m2 is wrong; and 2 more"
    assert finding.judgement.remedy == f"all that is wrong is at {PAGE}"


@pytest.mark.parametrize("body", ["<html>", "[]", "null"])
def test_a_stranger_in_the_pages_place_is_no_receiver(case: Case, body: str) -> None:
    assert alone(case, body).first() == "receiver-answers"


def test_an_embedded_deployment_has_three_ports_and_two_places_to_ask(tmp_path: Path) -> None:
    plan = derive(load("dev"))
    deployment = Deployment(Home(tmp_path / "one"), "embedded", plan)
    assert sorted(port.native for port in bound(plan, deployment)) == [3000, 4317, 4318]
    assert endpoints(plan, deployment) == {
        Endpoint.OTLP: "http://127.0.0.1:4317",
        Endpoint.RECEIVER: PAGE,
    }
    assert Endpoint.RECEIVER not in endpoints(plan, None)
    assert Endpoint.GRAFANA in endpoints(plan, None)
