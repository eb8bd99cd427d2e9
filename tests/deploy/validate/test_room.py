"""What validation says when programs are missing, and that nothing is left unchecked."""

from collections.abc import Callable

from loom.deploy.artifacts import Artifact, Check
from loom.deploy.validate import Outcome, Programs, validate
from loom.deploy.validate.room import CHECKERS

Rendered = Callable[..., dict[str, Artifact]]


def test_every_kind_of_check_has_its_checker() -> None:
    assert set(CHECKERS) == set(Check) - {Check.NONE}


def test_without_programs_checks_are_not_run_and_say_what_to_install(rendered: Rendered) -> None:
    files = rendered("prod")
    verdicts = validate(tuple(files.values()), Programs())
    ours = {Check.SUPERVISOR}
    assert {verdict.check for verdict in verdicts} == set(CHECKERS)
    for verdict in verdicts:
        if verdict.check in ours:
            # supervisor is a library of ours: always there.
            assert verdict.outcome is Outcome.ACCEPTED
        else:
            assert verdict.outcome is Outcome.NOT_RUN
            assert "is not installed" in verdict.problems[0].message
            assert verdict.problems[0].hint == "run: loom-deploy toolchain install"


def test_every_rendered_file_that_a_program_reads_has_a_check(rendered: Rendered) -> None:
    unchecked = {path for path, file in rendered("prod").items() if file.check is Check.NONE}
    # Read by people, by shells, or by Grafana, which is an image only.
    assert unchecked == {path for path in unchecked if path.endswith(".md")} | {
        ".env",
        "grafana/provisioning/datasources/loom.yaml",
        "grafana/provisioning/dashboards/loom.yaml",
        "prometheus/http.yml",
        "alertmanager/http.yml",
    }


def test_verdicts_come_in_the_order_of_the_files(rendered: Rendered) -> None:
    files = rendered("dev")
    verdicts = validate(tuple(files.values()), Programs())
    checked = [path for path, file in files.items() if file.check is not Check.NONE]
    assert [verdict.artifact for verdict in verdicts] == checked
