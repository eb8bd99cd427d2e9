"""`loom-deploy check -- COMMAND`: what a team puts into its own CI."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from loom.contract import metrics, scopes, spans
from loom.contract.environment import ENDPOINT, SAMPLER, STANDARD_SAMPLER
from loom.deploy.embedded.environment import aimed_at

PROGRAM = Path(__file__).parents[1] / "deploy" / "embedded" / "programs" / "whole_contract.py"
FORGOTTEN = metrics.router.CONFIDENCE.name
# Not `python -m loom.cli`: what is tested here is the command, with the exit codes of the command line.
START = "import loom.cli.main as cli; cli.COMMANDS.setdefault('check', ''); cli.main()"

Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Runs `loom-deploy check` in a folder of its own."""

    def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", START, "check", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=tmp_path,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
        )

    return start


def emit(*arguments: str) -> tuple[str, ...]:
    return ("--", sys.executable, str(PROGRAM), *arguments)


def test_a_program_that_keeps_the_whole_contract_passes(check: Check) -> None:
    done = check(*emit())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "the contract is kept; 100 % of it was seen"
    assert "loom.event_bus" in done.stdout


def test_a_program_that_emits_a_metric_outside_the_contract_fails_and_names_it(check: Check) -> None:
    done = check(*emit("--also", "loom.event_bus.retries_total"))
    assert done.returncode == 1
    assert "WRONG    metric loom.event_bus.retries_total: is not in the contract" in done.stdout
    assert done.stderr == "error: the contract is broken: 1 wrong; 100 % of it was seen\n"


def test_a_program_that_forgets_a_metric_fails_and_names_it(check: Check) -> None:
    done = check(*emit(FORGOTTEN))
    assert done.returncode == 1
    assert f"MISSING  metric {FORGOTTEN}: has not been seen" in done.stdout
    assert done.stdout.count("MISSING") == 1
    assert check("--require", scopes.EVENT_BUS, *emit(FORGOTTEN)).returncode == 0


def test_a_program_that_loses_a_parent_fails_and_names_its_children(check: Check) -> None:
    done = check("--require", "emitted", *emit(spans.agent.RUN.key))
    assert done.returncode == 1
    assert f"span {spans.agent.ROUTE_EVENT.key}: its parent never arrived" in done.stdout


def test_the_report_is_json_of_its_own_and_junit_names_each_finding(check: Check, tmp_path: Path) -> None:
    script = f"echo of the program; {sys.executable} {PROGRAM} {FORGOTTEN}"
    done = check("--json", "--junit", "found.xml", "--", "sh", "-c", script)
    report = json.loads(done.stdout)
    assert (done.returncode, report["good"], report["absent"]) == (1, False, 1)
    assert report["command"]["exit_code"] == 0
    assert "of the program" in done.stderr
    suite = ET.parse(tmp_path / "found.xml").getroot()[0]  # noqa: S314 - our own file
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == [FORGOTTEN]
    assert int(suite.get("tests", "0")) > len(metrics.ALL) + len(spans.ALL)


@pytest.mark.parametrize("place", ["no/found.xml", "."])
def test_a_junit_file_that_cannot_be_written_is_refused_before_anything_runs(
    check: Check, tmp_path: Path, place: str
) -> None:
    done = check("--junit", place, "--", "touch", "ran")
    assert done.returncode == (4 if place.endswith("xml") else 2)
    assert place in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_junit_file_that_cannot_be_written_any_more_costs_no_report(check: Check, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    done = check("--junit", "results/found.xml", "--", "rmdir", "results")
    assert done.returncode == 4
    assert "SCOPE" in done.stdout
    assert done.stderr == "error: results/found.xml  cannot be written: no such file or directory\n"


def test_who_uses_a_part_of_the_runtime_is_told_what_to_require(check: Check) -> None:
    hint = "(a program that uses a part of the runtime wants --require emitted)"
    assert check(*emit(FORGOTTEN)).stderr.endswith(f"{hint}\n")
    assert hint not in check("--require", scopes.ROUTER, *emit(FORGOTTEN)).stderr
    assert hint not in check("--", "true").stderr  # that one uses nothing at all


def test_who_runs_a_python_without_loom_is_told_where_loom_is(check: Check, tmp_path: Path) -> None:
    other = tmp_path / "bin" / "python3"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    told = f"loom is installed for {sys.executable}"
    assert f"{other} ran it, and {told}" in check("--", str(other), "my_agents.py").stdout
    assert f"if it could not import loom: {told}" in check("--", "false").stdout
    assert told not in check("--", sys.executable, "-c", "raise SystemExit(1)").stdout


def test_the_programs_own_failure_is_a_failure_with_its_code(check: Check) -> None:
    done = check("--", sys.executable, "-c", "raise SystemExit(7)")
    assert done.returncode == 1
    assert "COMMAND ended with exit code 7" in done.stderr
    assert "nothing has arrived from Loom" in done.stdout


def test_a_program_that_cannot_be_run_and_a_requirement_that_cannot_be_met_are_told_apart(
    check: Check,
) -> None:
    missing = check("--", "no-such-program")
    assert (missing.returncode, "cannot run 'no-such-program'" in missing.stderr) == (4, True)
    unknown = check("--require", "loom.event_buss", *emit())
    assert (unknown.returncode, "did you mean 'loom.event_bus'?" in unknown.stderr) == (2, True)
    assert check().returncode == 2


def test_a_program_that_does_not_end_is_ended_with_its_children(check: Check, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    done = check("--timeout", "8", "--", "sh", "-c", f"sleep 600 & echo $! > {pid}; wait; true")
    assert done.returncode == 1
    assert "COMMAND had not ended in time" in done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_report_still_comes(number: signal.Signals, tmp_path: Path) -> None:
    script = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit('asked to end'))\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", START, "check", "--", sys.executable, "-c", script]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "asked to end" in stderr
    assert "SCOPE" in stdout


def test_the_program_reports_to_us_whatever_its_surroundings_say() -> None:
    around = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://elsewhere",
        "OTEL_EXPORTER_OTLP_HEADERS": "key=secret",
        "OTEL_SDK_DISABLED": "true",
        STANDARD_SAMPLER.name: "always_off",
        SAMPLER.name: "traceidratio=0.1",
        "NO_PROXY": "intern",
        "DEPLOYMENT_ENV": "staging",
    }
    found = aimed_at("http://127.0.0.1:1", "grpc", around)
    assert found[ENDPOINT.name] == "http://127.0.0.1:1"
    assert found[SAMPLER.name] == "always_on"
    assert found["NO_PROXY"] == "intern,127.0.0.1,localhost"
    assert found["DEPLOYMENT_ENV"] == "staging"
    gone = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SDK_DISABLED"}
    assert found.keys().isdisjoint(gone | {STANDARD_SAMPLER.name})


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_the_example_of_the_whole_runtime_passes(check: Check, protocol: str) -> None:
    done = check("--protocol", protocol, "--", sys.executable, "-m", "loom.examples.mcp_integration")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the contract is kept; 100 % of it was seen" in done.stdout
