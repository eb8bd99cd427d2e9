"""The chat completions format, as written and as read."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.runtime.call import Status
from loom.runtime.orchestrator import Completion, Function, Message, ModelError, ToolCall, Usage, wire
from loom.runtime.orchestrator.arguments import parse, render
from loom.runtime.orchestrator.strictness import complain
from loom.runtime.orchestrator.tools import ToolResult

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def body(message: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], **more})


def test_a_conversation_with_tools_is_written_as_endpoints_want_it() -> None:
    call = ToolCall("c1", "fs__read", '{"path": "/x"}')
    messages = wire.write_messages(
        [
            Message("system", "Be brief."),
            Message("user", "Read."),
            Message("assistant", "", (call,)),
            Message("tool", "content", call_id="c1"),
        ]
    )
    tools = wire.write_tools([Function("fs__read", "Reads.", {"type": "object"})], "required")
    assert messages[2]["tool_calls"][0]["function"] == {"name": "fs__read", "arguments": '{"path": "/x"}'}
    assert messages[3] == {"role": "tool", "content": "content", "tool_call_id": "c1"}
    assert tools["tool_choice"] == "required"
    assert tools["tools"][0]["type"] == "function"
    assert complain({"model": "m", "messages": messages, **tools}) == ""


def test_a_model_that_may_use_no_tools_is_told_of_none() -> None:
    assert wire.write_tools([Function("a")], "none") == {}
    assert wire.write_tools([], "auto") == {}


def test_a_completion_is_read() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{}"}}
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    assert wire.read(body({"content": "Hi", "tool_calls": [call]}, usage=usage)) == Completion(
        "Hi", (ToolCall("c1", "a", "{}"),), Usage(7, 3)
    )


@pytest.mark.parametrize(
    ("message", "completion"),
    [
        ({"content": None}, Completion()),
        ({"content": "x", "tool_calls": None}, Completion("x")),
        ({"content": [{"type": "text", "text": "a"}, {"text": "b"}]}, Completion("ab")),
        ({"content": "lone \ud800"}, Completion("lone ?")),
        (
            {"tool_calls": [{"function": {"name": "a", "arguments": {"x": 1}}}]},
            Completion("", (ToolCall("", "a", '{"x": 1}'),)),
        ),
    ],
)
def test_servers_that_only_resemble_the_format_are_understood(
    message: dict[str, Any], completion: Completion
) -> None:
    assert wire.read(body(message)) == completion


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        '{"choices": [',
        "[]",
        "{}",
        '{"choices": []}',
        '{"choices": [{"message": null}]}',
        '{"choices": [{"message": {"tool_calls": {}}}]}',
        '{"choices": [{"message": {"tool_calls": [{"function": {}}]}}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_completion_is_a_model_error_that_says_what_to_do(text: str) -> None:
    with pytest.raises(ModelError, match="OpenAI-compatible") as caught:
        wire.read(text)
    assert caught.value.code == "MODEL_MALFORMED"


@given(
    JSON | st.fixed_dictionaries({"choices": st.lists(st.fixed_dictionaries({"message": JSON}), max_size=2)})
)
def test_no_json_makes_the_reader_raise_anything_else(document: object) -> None:
    with suppress(ModelError):
        assert isinstance(wire.read(json.dumps(document)), Completion)


@given(st.binary(max_size=50))
def test_no_bytes_make_the_reader_raise_anything_else(junk: bytes) -> None:
    with pytest.raises(ModelError):
        wire.read(junk)


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"prompt_tokens": 5}, Usage(5, 0)),
        ({"prompt_tokens": -1, "completion_tokens": 1}, None),
        ({"prompt_tokens": "5"}, None),
        ([], None),
    ],
)
def test_usage_that_is_not_reported_properly_counts_as_absent(usage: object, read: Usage | None) -> None:
    assert wire.read(body({"content": "x"}, usage=usage)).usage == read


@pytest.mark.parametrize("text", ["", "  ", "null", "{}"])
def test_no_arguments_are_no_arguments(text: str) -> None:
    assert parse(text) == {}


@pytest.mark.parametrize(
    "text", ["{", "{'a': 1}", "[1]", '"text"', '{"a": NaN}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}"]
)
def test_malformed_arguments_are_never_taken_for_an_empty_object(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the model's to read, any will do
        parse(text)


@given(JSON, st.integers(1, 50))
def test_any_result_can_be_shown_to_the_model(output: object, limit: int) -> None:
    text = render(ToolResult(Status.OK, output), limit)
    text.encode()
    assert len(text) <= limit + 60


def test_a_result_that_is_no_json_is_shown_all_the_same() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    assert render(ToolResult(Status.OK, {1, 2}), 100) == '"{1, 2}"'
    assert render(ToolResult(Status.OK, cycle), 100) == "[[...]]"
    assert render(ToolResult(Status.OK, {("a", 1): 2}), 100)


class Unspeakable:
    """Has no text."""

    def __str__(self) -> str:
        """Fail."""
        raise KeyError

    __repr__ = __str__


def test_a_result_that_cannot_be_written_in_any_way_is_named() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert render(ToolResult(Status.OK, deep), 100) == "[output of type list cannot be shown]"
    assert render(ToolResult(Status.OK, {"a": Unspeakable()}), 100) == "[output of type dict cannot be shown]"
    while deep:  # taken apart, or freeing it would be as deep
        deep = deep.pop()  # type: ignore[assignment]  # what is in it is a list, or it is empty


def test_fifty_megabytes_are_cut_and_the_model_is_told() -> None:
    text = render(ToolResult(Status.OK, "x" * 50_000_000), 100)
    assert text.endswith("[49999900 more characters are not shown]")
