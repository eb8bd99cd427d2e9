"""Prod deployments for the tests by fire: one that most share, others of their own settings."""

import os
from collections.abc import Callable, Iterator

import pytest

from loom.deploy.engine.processes import free
from loom.deploy.plan import derive
from loom.deploy.profile import load
from tests.fire.stack import Stack
from tests.fire.table import Page

PAGE = pytest.StashKey[Page]()


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Makes stacks on free ports, below those that connections get; all are down afterwards."""
    state, made = tmp_path_factory.mktemp("fire"), list[Stack]()
    offsets = iter(range(12_050 + os.getpid() % 100, 15_900, 107))

    def make(name: str, *sets: str) -> Stack:
        for offset in offsets:
            chosen = (f"ports.offset={offset}", *sets)
            if all(free(port.native) for port in derive(load("prod", chosen)).ports):
                made.append(Stack(state, name, chosen))
                return made[-1]
        pytest.fail("no free ports")

    yield make
    for stack in made:
        stack.down()


@pytest.fixture(scope="session")
def stack(stacks: Callable[..., Stack]) -> Stack:
    """The one that most tests share, up as profiles/prod.yaml has it."""
    stack = stacks("fire")
    stack.up()
    return stack


@pytest.fixture(scope="session")
def pushing(stacks: Callable[..., Stack]) -> Stack:
    """Another: metrics are pushed to Prometheus, and Loom proves itself by a token."""
    stack = stacks("fire-push", "metrics.delivery=otlp", "security.ingestion=token")
    stack.up()
    return stack


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Page:
    """Where results are told."""
    return request.config.stash.setdefault(PAGE, Page())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows of this run."""
    page = terminalreporter.config.stash.get(PAGE, None)
    for row in page.rows if page else ():
        terminalreporter.write_line(row)
