"""The example of the user's document emits the whole contract, and tells one story in one trace."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loom.contract import attributes as a
from loom.contract import environment, metrics, resource, scopes
from loom.contract import spans as contract
from loom.contract.coverage import reachable
from loom.receiver import Recorder

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Seen(NamedTuple):
    """A span, who sent it, and its scope."""

    instance: str
    scope: str
    span: Span


def seen_by(receiver: Recorder) -> Iterator[Seen]:
    for request in receiver.traces:
        for part in request.resource_spans:
            named = {each.key: each.value.string_value for each in part.resource.attributes}
            for scope in part.scope_spans:
                for span in scope.spans:
                    yield Seen(named[resource.SERVICE_INSTANCE_ID.name], scope.scope.name, span)


def tagged(spans: list[Seen], key: str, value: str) -> list[Seen]:
    return [
        seen
        for seen in spans
        if any(each.key == key and each.value.string_value == value for each in seen.span.attributes)
    ]


@pytest.mark.slow
def test_every_metric_and_span_of_the_contract_arrives_and_one_trace_tells_the_story(
    receiver: Recorder, run: Run
) -> None:
    done = run("mcp_integration", "--overflow")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["service"] == "loom-example"
    assert summary["expectations"]["unmet"] == []
    assert set(receiver.latest_metrics()) == {metric.name for metric in metrics.ALL}
    spans = list(seen_by(receiver))
    ours = [seen for seen in spans if seen.scope in scopes.ALL]
    missing = [
        span.key
        for span in contract.ALL
        if not any(seen.scope == span.scope and span.matches(seen.span.name) for seen in ours)
    ]
    assert missing == []
    assert summary["spans"]["exported"] == len([seen for seen in spans if seen.instance == ours[0].instance])
    assert unseen_values(ours) == []
    # Nobody asked for content: no question, argument, result or answer is anywhere.
    assert not any(word in str(seen.span) for seen in ours for word in ("sunny", "Should we", "8:05"))
    check_story(spans, summary["trace_id"])
    check_searches(spans)


def unseen_values(spans: list[Seen]) -> list[str]:
    """Values of closed sets that no span of the contract had, although a run in good health has them."""
    seen = {(each.key, each.value.string_value) for seen in spans for each in seen.span.attributes}
    closed = {
        (attribute.name, value)
        for span in contract.ALL
        for attribute in (*span.attributes, *span.optional)
        for value in reachable(attribute)
    }
    assert (a.TRANSPORT.name, "streamable_http") in closed
    return sorted(f"{name}={value}" for name, value in closed - seen)


def check_story(spans: list[Seen], trace_id: str) -> None:
    """From the server's span in the other process up to the first publish, and down to the reply's run."""
    story = {seen.span.span_id: seen for seen in spans if seen.span.trace_id.hex() == trace_id}
    served = [seen for seen in story.values() if seen.span.kind == Span.SPAN_KIND_SERVER]
    # The weather for the planner, twice for its model, and the trains behind a URL.
    assert (
        sorted(seen.span.name for seen in served) == ["tools/call departures"] + ["tools/call forecast"] * 3
    )
    assert len({seen.instance for seen in story.values()}) == 3
    first = min(served, key=lambda seen: seen.span.start_time_unix_nano)
    path, seen = [first.span.name], first
    while seen.span.parent_span_id:
        seen = story[seen.span.parent_span_id]
        path.append(seen.span.name)
    assert path == [
        "tools/call forecast",
        "MCP send tools/call forecast",
        "invoke",
        "execute_action",
        "run",
        "publish",
    ]
    assert first.instance != seen.instance
    replies = [
        each
        for each in story.values()
        if each.span.name == "run"
        and each.span.parent_span_id
        and story[each.span.parent_span_id].span.name == "publish"
        and story[each.span.parent_span_id].span.parent_span_id
    ]
    assert len(replies) == 3


def check_searches(spans: list[Seen]) -> None:
    """What the user's document searches in Jaeger."""
    assert tagged(spans, a.AGENT_ID.name, "planner")
    assert tagged(spans, a.CAPABILITY.name, "llm.generate")
    assert {"publish", "invoke", "add_server"} <= {seen.span.name for seen in spans}
    durations = [seen.span.end_time_unix_nano - seen.span.start_time_unix_nano for seen in spans]
    assert max(durations) > 100_000_000


def test_a_malformed_environment_ends_it_before_anything_starts(receiver: Recorder, run: Run) -> None:
    done = run("mcp_integration", **{environment.SAMPLER.name: "sometimes"})
    assert done.returncode == 3
    assert environment.SAMPLER.name in done.stderr
    assert receiver.traces == []


@pytest.mark.slow
def test_it_fails_when_nobody_receives_what_it_sends(run: Run) -> None:
    nowhere = "http://127.0.0.1:9"  # the discard port: nobody listens
    done = run("mcp_integration", **{environment.ENDPOINT.name: nowhere})
    assert done.returncode == 1
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["arrived"] is False
    assert summary["expectations"]["unmet"] == []
