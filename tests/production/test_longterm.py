"""Long-term storage as containers: Thanos beside the prod profile, each one as hardened as the others."""

from collections.abc import Iterator

import pytest

from loom.contract import foreign
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.verify.client import connect, get
from tests.production.conftest import Contained, raised
from tests.waiting import until

PROFILE = """
extends: prod
name: contained-longterm
metrics:
  scrape_interval: 5s
  longterm: {thanos: {}}
volumes: {thanos: 500GB}
workload: {processes: 1, events_per_second: 10}
canary: {enabled: false}
"""
pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.docker]


@pytest.fixture(scope="module")
def longterm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contained]:
    state = tmp_path_factory.mktemp("longterm")
    file = state / "contained-longterm.yaml"
    file.write_text(PROFILE)
    Contained(state, "images", (), str(file)).must("images", "build", "--profile", str(file))
    with raised(state, "contained-longterm", str(file), 6_000) as stack:
        yield stack


def answered(stack: Contained, expression: str) -> list[dict[str, dict[str, str]]]:
    """What Thanos answers the operator."""
    with connect(stack.plan.reached(Service.THANOS_QUERY, Purpose.UI), stack.access) as client:
        return list(get(client, "/api/v1/query", {"query": expression})["data"]["result"])


def test_thanos_answers_for_prometheus_and_all_of_it_is_watched(longterm: Contained) -> None:
    jobs = f'{foreign.UP.name}{{job=~"{"|".join(map(str, THANOS))}"}} == 1'
    until(lambda: len(answered(longterm, jobs)) == len(THANOS))
    until(lambda: answered(longterm, f"{foreign.COMPACTOR_HALTED.name} == 0"))


def test_its_containers_may_no_more_than_the_others(longterm: Contained) -> None:
    boxes = longterm.boxes()
    for service in map(str, THANOS):
        host = boxes[service]["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"], host["CapAdd"]) == (True, ["ALL"], None), service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert boxes[service]["Config"]["User"] == "65534:65534", service
        assert 0 < host["Memory"] == host["MemorySwap"], service
