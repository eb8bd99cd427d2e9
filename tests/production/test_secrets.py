"""Containers show no secret: not by what Docker says of them, not in logs, processes or volumes."""

import json
from pathlib import Path

import psutil
import pytest

from loom.deploy.plan.identity import secrets
from tests.deploy.credentials.search import Search, needles
from tests.production.conftest import Contained

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.docker]


@pytest.fixture
def search(contained: Contained) -> Search:
    """For every secret of the deployment."""
    found = Search(needles(contained.home.secrets))
    named = {needle.name.split()[0] for needle in found.wanted}
    assert {f"{one.holder}/{one.file}" for one in secrets(contained.plan)} <= named
    return found


def _none(search: Search, *looked: str) -> None:
    assert sorted(search.leaks, key=str) == []
    assert all(search.looked[kind] > 500 for kind in looked), search.looked


def test_docker_and_the_logs_tell_no_secret(contained: Contained, search: Search) -> None:
    for service, box in contained.boxes().items():
        search.text("inspect", service, json.dumps(box))
        search.text("log", service, contained.said("logs", box["Id"]))
        search.text("changed files", service, contained.said("diff", box["Id"]))
        search.text("layers", service, contained.said("history", "--no-trunc", box["Image"]))
    _none(search, "inspect", "log", "layers")


def test_no_process_in_a_container_shows_a_secret(contained: Contained, search: Search) -> None:
    first = [psutil.Process(pid) for box in contained.boxes().values() if (pid := box["State"]["Pid"])]
    search.processes(each for one in first for each in (one, *one.children(recursive=True)))
    assert len(first) >= 7
    _none(search, "arguments", "environment")


def test_no_volume_and_no_rendered_file_holds_a_secret(contained: Contained, search: Search) -> None:
    mounts = [mount for box in contained.boxes().values() for mount in box["Mounts"]]
    places = {Path(mount["Source"]) for mount in mounts if mount["Type"] == "volume"}
    assert places
    for place in (contained.home.root, *sorted(places)):
        search.files(place, contained.home.secrets)
    assert search.looked["file"] > 100_000
    _none(search, "file", "file name")
