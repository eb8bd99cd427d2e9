"""Scripts as data, and the scripted models that play them."""

import json
from typing import Any

import pytest

from loom.errors import ConfigurationError
from loom.runtime.orchestrator import Usage
from loom.runtime.orchestrator.script import Reply, Script, ScriptedCall
from loom.runtime.orchestrator.strictness import complain

TOOL = {"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{}"}}
USER = {"role": "user", "content": "x"}
ASSISTANT = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOOL_MESSAGE = {"role": "tool", "content": "x", "tool_call_id": "c1"}


def test_a_script_can_be_a_json_file() -> None:
    text = """{"replies": [
        {"calls": [{"tool": "fs:read", "arguments": {"path": "/x"}}], "usage": {"input_tokens": 5}},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"text": "Done: ", "quote": true}
    ], "forever": true}"""
    assert Script.parse(json.loads(text)) == Script(
        (
            Reply(calls=(ScriptedCall("fs:read", {"path": "/x"}),), usage=Usage(5)),
            Reply(status=429, headers={"Retry-After": "1"}),
            Reply("Done: ", quote=True),
        ),
        forever=True,
    )


@pytest.mark.parametrize(
    "document", [None, {}, {"replies": [{"txt": "typo"}]}, {"replies": [{"fault": "explode"}]}], ids=str
)
def test_a_script_that_does_not_fit_is_refused_with_the_place(document: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Script.parse(document)
    assert caught.value.problems[0].path.startswith("$")


def test_a_request_that_fits_is_not_complained_about() -> None:
    messages = [USER, ASSISTANT, TOOL_MESSAGE, USER]
    assert complain({"model": "m", "messages": messages, "tools": [TOOL], "tool_choice": "auto"}) == ""


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot"}]}, "role"),
        ({"messages": [USER, ASSISTANT]}, "not answered"),
        ({"messages": [USER, ASSISTANT, USER]}, "not answered"),
        ({"messages": [USER, TOOL_MESSAGE]}, "answers no call"),
        ({"messages": [USER, ASSISTANT, TOOL_MESSAGE, TOOL_MESSAGE]}, "answers no call"),
        ({"messages": [{**ASSISTANT, "tool_calls": [CALL, CALL]}]}, "same id"),
        ({"tools": []}, "empty"),
        ({"tools": [{"type": "function", "name": "flat"}]}, "name"),
        ({"tools": [{**TOOL, "function": {"name": "fs:read"}}]}, "name"),
        ({"tools": [TOOL, TOOL]}, "same name"),
        ({"tools": [{**TOOL, "function": {"name": "a", "parameters": {"type": "array"}}}]}, "object"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice"),
        ({"tool_choice": "auto", "tools": None}, "empty"),
    ],
    ids=str,
)
def test_the_scripted_endpoint_refuses_what_real_ones_refuse(change: dict[str, Any], complaint: str) -> None:
    request = {"model": "m", "messages": [USER], "tools": [TOOL], **change}
    assert complaint in complain(request)
