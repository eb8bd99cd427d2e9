"""supervisord's configuration."""

from configparser import RawConfigParser
from typing import Any

from loom.deploy.artifacts import parse, supervisor
from loom.deploy.plan import Plan
from loom.deploy.plan.model import Service


def _sections(plan: Plan) -> RawConfigParser:
    found: Any = parse(supervisor.artifacts(plan)[0])
    assert isinstance(found, RawConfigParser)
    return found


def test_the_text_holds_no_path_of_a_machine(plan: Plan) -> None:
    (artifact,) = supervisor.artifacts(plan)
    for line in artifact.text.splitlines():
        assert "=/" not in line.split(";")[0], line
        assert '"/' not in line, line


def test_every_service_but_grafana_runs_and_the_collector_outlives_no_store(plan: Plan) -> None:
    found = _sections(plan)
    programs = [name.removeprefix("program:") for name in found.sections() if name.startswith("program:")]
    assert set(programs) == {str(service) for service in plan.services if service is not Service.GRAFANA}
    priorities = {name: int(found[f"program:{name}"]["priority"]) for name in programs}
    senders = {Service.COLLECTOR, Service.CANARY} & set(programs)
    last = sorted(priorities, key=priorities.__getitem__)[-len(senders) :]
    assert last == [name for name in ("otel-collector", "canary") if name in senders]


def test_a_restart_loop_ends_and_logs_are_bounded(plan: Plan) -> None:
    found = _sections(plan)
    for name in found.sections():
        if name.startswith("program:"):
            program = found[name]
            assert int(program["startretries"]) > 0
            assert int(program["startsecs"]) > 0
            assert int(program["stopwaitsecs"]) >= 10
            assert program["killasgroup"] == "true"
            assert program["stdout_logfile_maxbytes"] == "10MB"


def test_each_program_is_told_its_memory(plan: Plan) -> None:
    found = _sections(plan)
    for process in supervisor.processes(plan):
        limit = plan.container(process.service).gomemlimit_mib
        told = found[f"program:{process.name}"]["environment"]
        assert f'GOMEMLIMIT="{limit}MiB"' in told if limit else "GOMEMLIMIT" not in told


def test_the_engine_knows_every_variable_that_the_text_reads(plan: Plan) -> None:
    (artifact,) = supervisor.artifacts(plan)
    read = {part.split(")")[0] for part in artifact.text.split("%(ENV_")[1:]}
    assert read == set(supervisor.variables(plan))
