"""Every port of the edge graph, and everything that is tried on it: what does not belong there is refused."""

import json
from typing import Any

import psutil
import pytest

from loom.deploy.plan.model import Method, Purpose, Service
from loom.deploy.verify.intrusion.attempt import Attempt, doors, wrong
from loom.deploy.verify.intrusion.break_in import BETWEEN
from tests.fire.stack import Stack
from tests.fire.table import EDGES, Page

pytestmark = [pytest.mark.smoke, pytest.mark.slow]

Findings = list[dict[str, Any]]
NOT_HERE = {f"{Service.GRAFANA}:{Purpose.UI}"}
"""Cannot be run as a process."""


@pytest.fixture(scope="module", params=["certificate", "token"])
def tried(request: pytest.FixtureRequest) -> tuple[Stack, Findings]:
    stack: Stack = request.getfixturevalue("stack" if request.param == "certificate" else "pushing")
    assert stack.plan.profile.security.ingestion == request.param
    done = stack.run("verify", "--name", stack.name, "--edges", "--json")
    assert done.returncode == 0, done.stderr
    return stack, json.loads(done.stdout)["findings"]


def silent(tried: tuple[Stack, Findings]) -> set[str]:
    """Ports that are kept free: no edge leads there, and nobody listens."""
    stack, findings = tried
    found = {one["name"] for one in findings if one["detail"] == "nobody listens"}
    assert found <= {door.name for door in doors(stack.plan) if not door.edges}
    return found


def test_every_attempt_on_every_port_is_refused_by_the_port(tried: tuple[Stack, Findings]) -> None:
    stack, findings = tried
    minimum = stack.plan.profile.security.tls.minimum
    expected = {
        f"{door.name}{BETWEEN}{attempt}"
        for door in doors(stack.plan)
        if not door.bare and door.name not in NOT_HERE | silent(tried)
        for attempt in wrong(door, minimum)
    }
    refused = {one["name"] for one in findings if one["detail"].startswith("refused: ")}
    assert refused == expected
    assert len(expected) > 60, "the graph has become small"


def test_every_caller_of_the_graph_is_let_in_with_its_own(tried: tuple[Stack, Findings]) -> None:
    stack, findings = tried
    callers = {edge.name for edge in stack.plan.edges if edge.encrypted and edge.method is not Method.LOGIN}
    let_in = {one["name"] for one in findings if one["detail"].startswith("let in: ")}
    assert let_in == {f"{name}{BETWEEN}{Attempt.RIGHT}" for name in callers}


def test_what_is_in_plain_text_is_waived_with_a_reason_and_nothing_else_was_left_out(
    tried: tuple[Stack, Findings],
) -> None:
    stack, findings = tried
    left = {one["name"]: one["detail"] for one in findings if one["verdict"] == "not expected"}
    waivers = {waiver.edge: waiver for waiver in stack.plan.profile.security.waivers}
    assert left == {
        **{
            f"{name}{BETWEEN}{Attempt.PLAIN}": f"waived until {one.until}: {one.reason}"
            for name, one in waivers.items()
        },
        **{name: left[name] for name in NOT_HERE},
        **dict.fromkeys(silent(tried), "nobody listens"),
    }


def test_no_process_listens_on_a_port_that_is_not_in_the_plan(tried: tuple[Stack, Findings]) -> None:
    stack, _ = tried
    listening = {
        (process.name(), connection.laddr.ip, connection.laddr.port)
        for process in stack.owned()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN or not connection.raddr
    }
    planned = {port.native for port in stack.plan.ports}
    assert [one for one in listening if one[2] not in planned] == []
    assert {ip for _, ip, _ in listening} == {"127.0.0.1"}


def test_the_page_has_a_row_for_each_port(tried: tuple[Stack, Findings], page: Page) -> None:
    stack, findings = tried
    for door in doors(stack.plan):
        callers = {edge.name: edge.source for edge in door.edges}
        let_in, refused = list[str](), dict[str, str]()
        for one in findings:
            name, _, attempt = str(one["name"]).partition(BETWEEN)
            if attempt == Attempt.RIGHT and name in callers:
                let_in.append(callers[name])
            elif name in {door.name, *callers}:
                refused[attempt] = str(one["detail"]).removeprefix("refused: ")
        told = "; ".join(f"{attempt}: {how}" if attempt else how for attempt, how in refused.items())
        let_in += ["whoever can reach it"] if door.bare else []
        cells = (door.name, told, ", ".join(let_in) or "nobody")
        page.put(f"{EDGES}{stack.plan.profile.security.ingestion}", cells, (*refused, *let_in))
