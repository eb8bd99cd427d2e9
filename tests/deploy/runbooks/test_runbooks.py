"""Runbooks: one page for each alert of any profile, with commands that are right."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from loom.contract import canary, foreign
from loom.contract.metrics import ALL
from loom.contract.series import Series
from loom.deploy import profile
from loom.deploy.artifacts import rules
from loom.deploy.artifacts.runbooks import BOOK, pages
from loom.deploy.plan import Plan, derive

REPOSITORY = Path(__file__).parents[3]
FOLDER = REPOSITORY / "docs" / "runbooks"
PROFILES = sorted(path.stem for path in (REPOSITORY / "profiles").glob("*.yaml"))
OTHERWISE = ("metrics.delivery=otlp", "tracing.storage=badger", "collector.queue.storage=disk")
"""Settings that bring alerts or take them away."""
EVERYTHING = REPOSITORY / "bench" / "everything.yaml"
"""A profile with every option on: also with stores elsewhere and long-term storage."""


def _plan(name: str, *overrides: str) -> Plan:
    return derive(profile.load(name, overrides, REPOSITORY / "profiles"))


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    """The one whose numbers the pages show first, then every other."""
    others = [_plan(name) for name in PROFILES if name != "prod"]
    otherwise = [*(_plan("dev", setting) for setting in OTHERWISE), derive(profile.load(EVERYTHING))]
    return [_plan("prod"), *others, *otherwise]


@pytest.fixture(scope="module")
def book(plans: list[Plan]) -> dict[str, str]:
    return pages(plans)


def test_every_alert_of_any_profile_has_exactly_one_page_and_no_page_is_orphaned(plans: list[Plan]) -> None:
    names = {alert.name for plan in plans for alert in rules.alerts(plan)}
    assert names == set(BOOK)
    assert names == {page.stem for page in FOLDER.glob("*.md")} - {"README"}


def test_the_committed_pages_are_what_is_generated(book: dict[str, str]) -> None:
    if os.environ.get("LOOM_WRITE_DOCS"):
        for stale in FOLDER.glob("*.md"):
            stale.unlink()
        for name, text in book.items():
            (FOLDER / name).write_text(text)
    held = {page.name: page.read_text() for page in FOLDER.glob("*.md")}
    assert held == book, "run with LOOM_WRITE_DOCS=1, and read what changed"


def test_jaeger_is_asked_where_people_reach_it_also_behind_a_proxy(plans: list[Plan]) -> None:
    for plan in plans:
        (port,) = set(re.findall(r"JAEGER=https?://localhost:(\d+)", pages([plan])["README.md"]))
        assert [one.native for one in plan.ports if one.published and one.native == int(port)] == [int(port)]


def commands(text: str) -> list[str]:
    return [
        line
        for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line and not line.startswith("#")
    ]


def queries(text: str) -> list[str]:
    return [found for line in commands(text) for found in re.findall(r"--data-urlencode 'query=(.*)'$", line)]


def test_a_page_asks_first_what_its_alert_asks_and_then_something_more(
    plans: list[Plan], book: dict[str, str]
) -> None:
    asked = {alert.name: str(alert.expression) for plan in reversed(plans) for alert in rules.alerts(plan)}
    for name, expression in asked.items():
        page = book[f"{name}.md"]
        first, *more = commands(page)
        assert queries(f"```bash\n{first}\n```") == [expression], name
        assert len(more) > 1, name


def _nodes(node: Any) -> Iterator[Any]:  # noqa: ANN401 - promql_parser is not typed
    yield node
    inner = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector", "param")]
    for each in (*inner, *(getattr(node, "args", None) or ())):
        if each is not None:
            yield from _nodes(each)


def _known(plan: Plan) -> dict[str, Series]:
    loom = [series for metric in ALL for series in plan.naming.all_series(metric)]
    return {series.name: series for series in (*loom, *rules.recorded(plan), *foreign.ALL, *canary.ALL)}


def test_every_query_parses_and_names_only_known_series_and_labels(
    plans: list[Plan], book: dict[str, str]
) -> None:
    known, seen = _known(plans[0]), 0
    for page, text in book.items():
        for query in queries(text):
            for node in _nodes(promql_parser.parse(query)):
                if isinstance(node, promql_parser.VectorSelector):
                    seen += 1
                    assert node.name in known, f"{page}: {node.name}"
                    labels = {matcher.name for matcher in node.matchers.matchers}
                    assert labels <= set(known[node.name].labels), f"{page}: {labels}"
    assert seen > 150


def test_every_command_is_one_that_bash_reads_and_whose_program_we_know(book: dict[str, str]) -> None:
    programs = {
        line.split()[0] for name, text in book.items() if name != "README.md" for line in commands(text)
    }
    assert programs <= {"curl", "loom-deploy", "df"}
    script = "\n".join(line for text in book.values() for line in commands(text))
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_of_ours_exists_with_these_options(book: dict[str, str]) -> None:
    from click.testing import CliRunner  # noqa: PLC0415 - this test only

    from loom.cli.main import group  # noqa: PLC0415 - as above

    ours = {line for text in book.values() for line in commands(text) if line.startswith("loom-deploy ")}
    assert ours
    for line in sorted(ours):
        _, command, *arguments = line.split()
        named = [command, *(one for one in arguments[:1] if command in {"certs", "secrets"})]
        said = CliRunner().invoke(group, [*named, "--help"]).output
        assert said.startswith(f"Usage: group {' '.join(named)}"), line
        for option in (argument for argument in arguments if argument.startswith("--")):
            assert option in said, line


def test_links_lead_to_pages(book: dict[str, str]) -> None:
    linked = {target for text in book.values() for target in re.findall(r"\]\(\./([^)#]+)", text)}
    assert linked <= set(book)
    assert set(re.findall(r"\]\(\./(\w+\.md)\)", book["README.md"])) == set(book) - {"README.md"}


def test_no_address_and_no_secret_stands_in_a_command(book: dict[str, str]) -> None:
    for name, text in book.items():
        if name != "README.md":
            assert not re.search(r"https?://|localhost|password", "\n".join(commands(text))), name
