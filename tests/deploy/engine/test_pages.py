"""Programs that are an API only are told from those that have their pages."""

import pytest

from loom.deploy.credentials.access import Access
from loom.deploy.engine import pageless, pages
from loom.deploy.plan import derive
from loom.deploy.profile import load

PLAN = derive(load("dev", ("ports.offset=7600",)))
PAGE = b"<!doctype html><HTML><title>Jaeger UI</title>"
# As the real programs answered that were built from their modules.
STAND_IN = b"<!DOCTYPE html><html><p>you are running a binary that was not compiled with the UI assets."
UNOPENED = b"Error opening React index.html: open static/mantine-ui/index.html: no such file or directory"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, bytes]]:
    """URL → what is answered there; nobody answers anywhere else."""
    found: dict[str, tuple[int, bytes]] = {}

    def fetch(url: str, access: Access) -> tuple[int, bytes]:
        del access
        if url not in found:
            raise ConnectionRefusedError
        return found[url]

    monkeypatch.setattr(pages, "fetch", fetch)
    return found


@pytest.mark.parametrize(
    ("service", "url", "answer", "expected"),
    [
        ("jaeger", "http://127.0.0.1:24286/", (200, PAGE), False),
        ("jaeger", "http://127.0.0.1:24286/", (200, STAND_IN), True),
        ("prometheus", "http://127.0.0.1:16690/query", (200, PAGE), False),
        ("prometheus", "http://127.0.0.1:16690/query", (500, UNOPENED), True),
        ("alertmanager", "http://127.0.0.1:16693/", (404, b"404 page not found"), True),
    ],
)
def test_a_program_without_its_page_is_an_api_only(
    answers: dict[str, tuple[int, bytes]],
    service: str,
    url: str,
    answer: tuple[int, bytes],
    *,
    expected: bool,
) -> None:
    answers[url] = answer
    assert pageless(PLAN, service) is expected


@pytest.mark.parametrize("service", ["jaeger", "otel-collector", "page"])
@pytest.mark.usefixtures("answers")
def test_nothing_is_said_of_what_does_not_answer_and_of_what_never_has_pages(service: str) -> None:
    assert not pageless(PLAN, service)
