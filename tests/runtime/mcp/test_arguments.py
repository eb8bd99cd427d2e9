"""A call whose payload does not fit its capability's schema reaches nobody, and says where the mistake is."""

import subprocess
import sys
from types import MappingProxyType
from typing import Any

import pytest

from loom.contract import attributes as a
from loom.contract.metrics import action_broker as m
from loom.contract.spans import action_broker as spans
from loom.errors import LoomRuntimeError
from loom.runtime import ActionBroker, Call, Capability, ErrorCode, ProviderType, Status
from loom.runtime.arguments import ADVICE, Arguments, guard
from loom.telemetry.capture import Capture

pytestmark = pytest.mark.anyio

SECRET = "hunter2"  # noqa: S105 - what must not be found in telemetry
NUMBER = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("schema", "payload", "mistake"),
    [
        ({"type": "object"}, None, ""),
        ({}, None, ""),
        (NUMBER, {"a": 1}, ""),
        (NUMBER, MappingProxyType({"a": 1}), ""),
        (NUMBER, None, "$: 'a' is a required property"),
        (NUMBER, {}, "$: 'a' is a required property"),
        (NUMBER, {"a": "x"}, "$.a: 'x' is not of type 'integer'"),
        (NUMBER, [], "$: [] is not of type 'object'"),
        (NUMBER, {5: 5}, "$: names must be text"),
        ({"type": "string", "minLength": 1}, "", "$: '' should be non-empty"),
        ({"type": "string"}, None, "$: None is not of type 'string'"),
        ({"type": ["object", "string"]}, None, ""),
        ({"properties": {"a": {"$ref": "https://nobody.invalid/schema"}}}, {"a": 1}, ""),
        ({"type": "no such type"}, {"a": 1}, ""),
    ],
)
def test_a_mistake_is_found_and_placed(schema: dict[str, object], payload: object, mistake: str) -> None:
    assert Arguments(schema).find_mistake(payload) == mistake


def test_a_payload_that_is_nested_too_deeply_is_a_mistake_and_no_crash() -> None:
    tree: dict[str, Any] = {"type": "object", "properties": {"in": {"$ref": "#"}}}
    payload: dict[str, Any] = {}
    for _ in range(5000):
        payload = {"in": payload}
    assert Arguments(tree).find_mistake(payload) == "nested too deeply"


async def test_a_call_that_does_not_fit_reaches_nobody_and_tells_telemetry_only_its_code(
    captured: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    served: list[object] = []

    async def serve(call: Call) -> str:
        served.append(call.payload)
        return "done"

    async with ActionBroker(captured.telemetry) as broker:
        broker.register(Capability("count", schema=NUMBER), serve)
        assert (await broker.invoke(Call("count", {"a": 1}))).output == "done"
        result = await broker.invoke(Call("count", {"a": SECRET}))
        named = await broker.invoke(Call("count", {"a": SECRET}, id="named"))
        again = await broker.invoke(Call("count", {"a": 2}, id="named"))
        assert served == [{"a": 1}, {"a": 2}]
    for refused in (result, named):
        assert refused.status is Status.ERROR
        assert refused.error is not None
        assert refused.error.code == ErrorCode.INVALID_ARGUMENTS
        assert refused.error.message.startswith("the arguments do not fit count: $.a: ")
        assert ADVICE in refused.error.message
    assert again.ok  # a refusal is not remembered
    assert captured.value(m.ERRORS, "count", ErrorCode.INVALID_ARGUMENTS.value) == 2
    assert captured.value(m.INVOCATIONS, "count", Status.ERROR.value) == 2
    codes = [
        span.attributes.get(a.ERROR_CODE.name) for span in captured.spans(spans.INVOKE) if span.attributes
    ]
    assert codes == [None, ErrorCode.INVALID_ARGUMENTS, ErrorCode.INVALID_ARGUMENTS, None]
    assert not any(SECRET in span.to_json() for span in captured.spans())
    assert SECRET not in caplog.text


async def _serve(_: Call) -> None:
    """Never called."""


def test_a_native_schema_that_is_none_is_refused_when_it_is_registered(captured: Capture) -> None:
    broker = ActionBroker(captured.telemetry)
    with pytest.raises(
        LoomRuntimeError, match=r"\$\.schema: the schema of count is no JSON Schema: \$\.type"
    ):
        broker.register(Capability("count", schema={"type": "number of things"}), _serve)
    assert broker.capabilities() == []
    assert captured.total(m.REGISTERED_CAPABILITIES) == 0


def test_without_a_schema_nothing_stands_between_broker_and_provider() -> None:
    assert guard(Capability("count"), _serve) is _serve
    assert guard(Capability("count", schema={}), _serve) is not _serve


def test_a_schema_is_compiled_when_it_is_registered_and_a_tools_not_before_its_first_call() -> None:
    script = (
        "import sys\n"
        "from loom.runtime import ActionBroker, Capability, ProviderType\n"
        "from loom.telemetry import Telemetry\n"
        "async def serve(call): ...\n"
        "broker = ActionBroker(Telemetry.disabled())\n"
        "broker.register(Capability('plain'), serve)\n"
        "broker.register(Capability('tool', '1', ProviderType.MCP, schema={'type': 'object'}), serve)\n"
        "print('jsonschema' in sys.modules)\n"
        "broker.register(Capability('native', schema={'type': 'object'}), serve)\n"
        "print('jsonschema' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


async def test_somebody_elses_broken_schema_is_left_to_them(captured: Capture) -> None:
    async def serve(_: Call) -> str:
        return "theirs"

    async with ActionBroker(captured.telemetry) as broker:
        foreign = Capability("their:tool", "1", ProviderType.MCP, schema={"type": "number of things"})
        broker.register(foreign, serve)
        assert (await broker.invoke(Call("their:tool", {"a": SECRET}))).output == "theirs"
