"""Capabilities of a broker as tools."""

import asyncio

import pytest

from loom.runtime import ActionBroker, Call, Capability, Status
from loom.runtime.orchestrator import BrokerTools, Invocation
from loom.telemetry import Telemetry

pytestmark = pytest.mark.anyio


async def echo(call: Call) -> object:
    return call.payload


async def test_the_result_of_a_call_that_nobody_can_repeat_is_not_kept() -> None:
    async with ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("echo"), echo)
        tools = BrokerTools(broker)
        for number in range(3):
            result = await tools.call(Invocation(f"run-{number}", "echo", {"a": number}, 20))
            assert (result.status, result.output) == (Status.OK, {"a": number})
        assert len(broker._cache) == 0


async def test_a_tool_that_does_not_stop_keeps_nobody_waiting() -> None:
    release = asyncio.Event()

    async def resist(_: Call) -> str:
        try:
            await release.wait()
        except asyncio.CancelledError:
            await release.wait()
        return "too late"

    async with asyncio.timeout(20), ActionBroker(Telemetry.disabled()) as broker:
        broker.register(Capability("slow"), resist)
        result = await BrokerTools(broker).call(Invocation("run-1", "slow", {}, 0.01))
        assert result.status is Status.TIMEOUT
        release.set()
