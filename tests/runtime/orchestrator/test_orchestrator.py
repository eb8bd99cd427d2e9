"""Runs: rounds of tool calls, limits, refining."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from loom.runtime.call import Status
from loom.runtime.orchestrator import (
    Answer,
    FakeTools,
    Invocation,
    Message,
    Options,
    Orchestrator,
    ToolResult,
    Usage,
)
from loom.runtime.orchestrator.script import Reply, Script, ScriptedCall
from loom.runtime.orchestrator.scripted import ScriptedModel, ScriptedServer
from loom.telemetry.capture import Capture

Serve = Callable[..., ScriptedServer]
Ask = Callable[..., Answer]
Drive = Callable[[Any], Answer]
PLAIN = Options(refine=False)


async def read_file(arguments: Mapping[str, Any]) -> object:
    """Read a file."""
    return f"content of {arguments['path']}"


async def fail(_: Mapping[str, Any]) -> object:
    message = "the disk is on fire"
    raise OSError(message)


class MuteError(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        """Fail."""
        raise KeyError

    __repr__ = __str__


async def return_mute(_: Mapping[str, Any]) -> object:
    return [MuteError()]


class Raising(FakeTools):
    """Raises what a tool raised that is called `disk:burn`, which tools ought not to do."""

    async def call(self, invocation: Invocation) -> ToolResult:
        """Raise, or call the function."""
        if invocation.tool == "disk:burn":
            raise MuteError
        return await super().call(invocation)


def calls(*asked: tuple[str, Any]) -> Reply:
    return Reply(calls=tuple(ScriptedCall(tool, arguments) for tool, arguments in asked))


def results(server: ScriptedServer, request: int = -1) -> list[str]:
    messages = server.requests[request].body["messages"]
    return [message["content"] for message in messages if message["role"] == "tool"]


def files() -> FakeTools:
    return FakeTools({"filesystem:read_file": read_file, "disk:burn": fail})


READ = ("filesystem:read_file", {"path": "/a"})


def test_a_question_without_tools_is_one_request(serve: Serve, answer: Ask) -> None:
    server = serve(Reply("Blue.", usage=Usage(7, 2)))
    got = answer(server)
    assert (got.outcome, got.text, got.failure, got.rounds, got.refined) == (
        "answered",
        "Blue.",
        None,
        0,
        False,
    )
    assert got.usage == Usage(7, 2)
    assert "tools" not in server.requests[0].body


def test_a_tool_is_offered_under_its_alias_and_called_under_its_name(serve: Serve, answer: Ask) -> None:
    server, tools = serve(calls(READ), Reply("It says: ", quote=True)), files()
    got = answer(server, tools, PLAIN)
    offered = [tool["function"]["name"] for tool in server.requests[0].body["tools"]]
    assert offered == ["disk__burn", "filesystem__read_file"]
    assert [(one.tool, one.arguments) for one in tools.invocations] == [READ]
    assert got.text == "It says: content of /a"
    assert [(one.tool, one.status) for one in got.calls] == [("filesystem:read_file", Status.OK)]


def test_the_loop_goes_on_as_long_as_the_model_wants_tools(serve: Serve, answer: Ask) -> None:
    server = serve(calls(READ), calls(READ, READ), calls(READ), Reply("Done."))
    got = answer(server, files(), PLAIN)
    assert (got.outcome, got.rounds, len(got.calls)) == ("answered", 3, 4)
    assert len(results(server)) == 4
    assert got.usage == Usage(400, 80)


def test_what_was_said_before_is_sent_along(serve: Serve, answer: Ask) -> None:
    server = serve(Reply("Blue."))
    answer(server, question=[Message("system", "Be brief."), Message("user", "Colour?")])
    assert [message["role"] for message in server.requests[0].body["messages"]] == ["system", "user"]


def test_calls_of_one_answer_run_at_the_same_time(serve: Serve, answer: Ask) -> None:
    barrier = asyncio.Barrier(3)  # three calls that wait for one another: in a row they never come back

    async def meet(arguments: Mapping[str, Any]) -> object:
        await barrier.wait()
        return arguments["n"]

    server = serve(calls(*(("meet", {"n": n}) for n in range(3))), Reply("Met."))
    got = answer(server, FakeTools({"meet": meet}), PLAIN)
    assert got.outcome == "answered"
    assert results(server) == ["0", "1", "2"]


def test_no_more_calls_run_at_the_same_time_than_allowed(serve: Serve, answer: Ask) -> None:
    running, most = 0, 0

    async def count(_: Mapping[str, Any]) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _turn in range(5):
            await asyncio.sleep(0)
        running -= 1
        return None

    server = serve(calls(*[("count", {})] * 9), Reply("Counted."))
    answer(server, FakeTools({"count": count}), Options(refine=False, parallelism=4))
    assert most == 4


def test_errors_of_tools_are_results_for_the_model(serve: Serve, answer: Ask) -> None:
    server = serve(calls(("disk:burn", {}), READ), Reply("Sorry."))
    got = answer(server, files(), PLAIN)
    burnt, read = results(server)
    assert json.loads(burnt)["error"] == {"code": "OSError", "message": "the disk is on fire"}
    assert read == "content of /a"
    assert [one.status for one in got.calls] == [Status.ERROR, Status.OK]
    assert got.outcome == "answered"


def test_what_a_tool_returns_or_raises_may_be_without_a_text(serve: Serve, answer: Ask) -> None:
    server = serve(calls(("disk:show", {}), ("disk:burn", {})), Reply("Better."))
    got = answer(server, Raising({"disk:show": return_mute, "disk:burn": fail}), PLAIN)
    assert (got.outcome, got.text) == ("answered", "Better.")
    shown, raised = results(server)
    assert shown == "[output of type list cannot be shown]"
    assert json.loads(raised)["error"]["message"] == "MuteError: MuteError without a text"


@pytest.mark.parametrize("text", ['{"path": ', "[1]", "'/a'"])
def test_malformed_arguments_go_back_to_the_model_and_no_tool_is_called(
    serve: Serve, answer: Ask, text: str
) -> None:
    server, tools = serve(calls(("filesystem:read_file", text)), calls(READ), Reply("Better.")), files()
    got = answer(server, tools, PLAIN)
    assert json.loads(results(server, 1)[0])["error"]["code"] == "MALFORMED_ARGUMENTS"
    assert [one.arguments for one in tools.invocations] == [{"path": "/a"}]
    assert [(one.status, one.code) for one in got.calls] == [
        (Status.ERROR, "MALFORMED_ARGUMENTS"),
        (Status.OK, ""),
    ]


def test_an_unknown_tool_goes_back_to_the_model_with_the_names_there_are(serve: Serve, answer: Ask) -> None:
    server, tools = serve(calls(("made:up", {})), Reply("Sorry.")), files()
    got = answer(server, tools, PLAIN)
    error = json.loads(results(server)[0])["error"]
    assert error["code"] == "UNKNOWN_TOOL"
    assert "filesystem__read_file" in error["message"]
    assert tools.invocations == []
    assert [(one.tool, one.status) for one in got.calls] == [("unknown", Status.NOT_FOUND)]


def test_ids_that_a_server_repeats_or_leaves_out_never_mix_up_results(serve: Serve, answer: Ask) -> None:
    body = {
        "choices": [
            {
                "message": {
                    "tool_calls": [
                        {"id": identity, "function": {"name": "echo", "arguments": json.dumps({"n": n})}}
                        for n, identity in enumerate(["same", "same", "", None])
                    ]
                }
            }
        ]
    }

    async def echo(arguments: Mapping[str, Any]) -> object:
        return arguments["n"]

    tools = FakeTools({"echo": echo})
    server = serve(Reply(body=json.dumps(body)), Reply(body=json.dumps(body)), Reply("Done."))
    got = answer(server, tools, PLAIN)
    assert got.outcome == "answered"
    assert results(server) == ["0", "1", "2", "3"] * 2
    # The broker keeps results by id: the same id twice would replay the first result.
    assert len({one.id for one in tools.invocations}) == 8
    assert all(one.id.startswith(got.run_id) for one in tools.invocations)


def test_endless_tool_calls_end_at_the_limit_of_rounds(serve: Serve, answer: Ask) -> None:
    server = serve(calls(READ), forever=True)
    got = answer(server, files(), Options(refine=False, max_rounds=3))
    assert (got.outcome, got.rounds, len(got.calls)) == ("tool_limit", 3, 3)
    assert str(got.failure).startswith("ROUND_LIMIT")
    assert len(server.requests) == 4


def test_endless_calls_in_one_answer_end_at_the_limit_of_calls(serve: Serve, answer: Ask) -> None:
    server, tools = serve(calls(*[READ] * 1000), forever=True), files()
    got = answer(server, tools, Options(refine=False, max_calls=5))
    assert (got.outcome, len(got.calls), len(tools.invocations)) == ("tool_limit", 5, 5)
    assert str(got.failure).startswith("CALL_LIMIT")


@pytest.mark.parametrize(("usage", "requests"), [(Usage(60, 60), 2), (None, 5)])
def test_a_run_ends_when_its_tokens_are_spent_reported_or_not(
    serve: Serve, answer: Ask, usage: Usage | None, requests: int
) -> None:
    reply = Reply(calls=(ScriptedCall("long"),), usage=usage)

    async def long(_: Mapping[str, Any]) -> object:
        return "x" * 100

    server = serve(reply, forever=True)
    got = answer(server, FakeTools({"long": long}), Options(max_tokens=200))
    assert (got.outcome, len(server.requests)) == ("tool_limit", requests)
    assert str(got.failure).startswith("TOKEN_LIMIT")


def test_a_run_that_takes_too_long_is_a_timeout_with_what_it_has(drive: Drive, captured: Capture) -> None:
    async def hang(_: Mapping[str, Any]) -> object:
        return await asyncio.Event().wait()

    # No HTTP: its share of the deadline would be the machine's.
    model = ScriptedModel(Script((Reply("Wait…", calls=(ScriptedCall("hang"),)),)))
    tools = FakeTools({"hang": hang})
    got = drive(Orchestrator(model, tools, captured.telemetry, Options(deadline=1)).run("?"))
    assert (got.outcome, got.text) == ("timeout", "Wait…")
    assert str(got.failure).startswith("DEADLINE")
    assert [(one.status, one.code) for one in got.calls] == [(Status.TIMEOUT, "TIMEOUT")]


def test_a_tool_that_hangs_costs_its_own_timeout_only(serve: Serve, answer: Ask) -> None:
    async def hang(_: Mapping[str, Any]) -> object:
        return await asyncio.Event().wait()

    tools = FakeTools({"hang": hang, "filesystem:read_file": read_file})
    server = serve(calls(("hang", {}), READ), Reply("Done."))
    got = answer(server, tools, Options(refine=False, call_timeout=0.05))
    assert got.outcome == "answered"
    assert [one.status for one in got.calls] == [Status.TIMEOUT, Status.OK]


def test_the_refine_cycle_asks_once_more_without_tools(serve: Serve, answer: Ask) -> None:
    server = serve(calls(READ), Reply("Draft."), Reply("Final."))
    got = answer(server, files())
    assert (got.text, got.refined) == ("Final.", True)
    last = server.requests[-1].body
    assert "tools" not in last
    assert [message["role"] for message in last["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


def test_nothing_is_refined_when_no_tool_was_called(serve: Serve, answer: Ask) -> None:
    server = serve(Reply("Blue."), Reply("Red."))
    assert answer(server, files()).text == "Blue."
    assert len(server.requests) == 1


@pytest.mark.parametrize("bad", [Reply(status=400), Reply(text=""), Reply(body="<html>")], ids=str)
def test_a_refine_cycle_that_fails_leaves_the_draft(serve: Serve, answer: Ask, bad: Reply) -> None:
    got = answer(serve(calls(READ), Reply("Draft."), bad), files())
    assert (got.outcome, got.text, got.refined) == ("answered", "Draft.", False)


def test_a_run_at_its_limit_is_summed_up_by_the_refine_cycle(serve: Serve, answer: Ask) -> None:
    got = answer(serve(calls(READ), calls(READ), Reply("So far.")), files(), Options(max_rounds=1))
    assert (got.outcome, got.text, got.refined) == ("tool_limit", "So far.", True)


def test_required_holds_for_the_first_request_only(serve: Serve, answer: Ask) -> None:
    server = serve(calls(READ), Reply("Done."))
    assert answer(server, files(), Options(tool_choice="required", refine=False)).outcome == "answered"
    assert [seen.body["tool_choice"] for seen in server.requests] == ["required", "auto"]


def test_none_offers_no_tools_and_hears_no_calls(serve: Serve, answer: Ask) -> None:
    server, tools = serve(Reply("Blue.", calls=(ScriptedCall(*READ),))), files()
    got = answer(server, tools, Options(tool_choice="none"))
    assert (got.outcome, got.text, tools.invocations) == ("answered", "Blue.", [])
    assert "tools" not in server.requests[0].body


@pytest.mark.parametrize(("tools", "code"), [(FakeTools({}), "NO_TOOLS"), (files(), "NO_TOOL_CALL")])
def test_a_required_call_that_cannot_be_had_is_an_error(
    serve: Serve, answer: Ask, tools: FakeTools, code: str
) -> None:
    got = answer(serve(Reply("No.")), tools, Options(tool_choice="required"))
    assert got.outcome == "error"
    assert got.failure is not None
    assert got.failure.code == code


def test_too_many_tools_are_cut_by_name_and_said(
    serve: Serve, answer: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    tools = FakeTools(dict.fromkeys(("c", "a", "b"), read_file))
    server = serve(Reply("x"))
    answer(server, tools, Options(max_tools=2))
    assert [tool["function"]["name"] for tool in server.requests[0].body["tools"]] == ["a", "b"]
    assert "max_tools" in caplog.text


def test_an_answer_that_was_cut_says_so(serve: Serve, answer: Ask) -> None:
    assert answer(serve(Reply("Once upon a", truncated=True))).truncated
