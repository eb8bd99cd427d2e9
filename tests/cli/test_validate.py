"""`loom-deploy validate`: its table and its exit codes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from click.testing import CliRunner

from loom.cli import validate as module
from loom.deploy.artifacts import Artifact, Check
from loom.deploy.validate import Outcome, Programs, Verdict
from loom.errors import Problem, RefusedError, ToolchainError

MISSING = Problem("otelcol 0.161.0 is not installed", hint="run: loom-deploy toolchain install")
WORDS = Problem("unknown key limit_mb", file="otel-collector-config.yaml")


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """What the validation says."""
    verdicts: list[Verdict] = []

    def validate(artifacts: Sequence[Artifact], programs: Programs) -> tuple[Verdict, ...]:
        assert artifacts
        assert programs == Programs()
        return tuple(verdicts)

    monkeypatch.setattr(module, "validate", validate)
    monkeypatch.setattr(module, "gather", lambda _: Programs())
    return verdicts


def _run(*arguments: str) -> tuple[str, BaseException | None]:
    result = CliRunner().invoke(module.command, ["--profile", "dev", *arguments])
    return result.output, result.exception


def test_everything_accepted_is_a_table_and_no_error(answer: list[Verdict]) -> None:
    answer.append(Verdict("prometheus.yml", Check.PROMTOOL_CONFIG, Outcome.ACCEPTED))
    output, error = _run("--require-all")
    assert error is None
    assert "prometheus.yml" in output
    assert "promtool check config" in output
    assert "dev: 1 accepted" in output


def test_a_refused_file_is_a_finding_with_the_programs_words(answer: list[Verdict]) -> None:
    answer.append(Verdict(WORDS.file, Check.OTELCOL, Outcome.REFUSED, (WORDS,)))
    output, error = _run()
    assert isinstance(error, RefusedError)
    assert error.exit_code == 1
    assert list(error.problems) == [WORDS]
    assert "refused" in output


def test_a_check_that_could_not_run_is_shown_and_is_no_error(answer: list[Verdict]) -> None:
    answer.append(Verdict("otel-collector-config.yaml", Check.OTELCOL, Outcome.NOT_RUN, (MISSING,)))
    output, error = _run()
    assert error is None
    assert "not run: otelcol 0.161.0 is not installed" in " ".join(output.split())


def test_with_require_all_it_is_an_error_that_names_each_missing_program_once(answer: list[Verdict]) -> None:
    verdict = Verdict("a.yaml", Check.OTELCOL, Outcome.NOT_RUN, (MISSING,))
    answer.extend((verdict, replace(verdict, artifact="b.yaml")))
    _, error = _run("--require-all")
    assert isinstance(error, ToolchainError)
    assert error.exit_code == 4
    assert list(error.problems) == [MISSING]
