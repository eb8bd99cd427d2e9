"""A bus, a broker, a router and a runtime of agents, with everything captured."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from loom.runtime import ActionBroker, Call, Capability, EventBus
from loom.runtime.agent import AgentOptions, AgentRuntime
from loom.runtime.agent.options import Surroundings
from loom.runtime.router import FixedEstimator, Landscape, Model, Router
from loom.telemetry.capture import Capture, capture

Enter = Callable[..., AbstractAsyncContextManager[tuple[AgentRuntime, Surroundings]]]


@pytest.fixture
def captured() -> Iterator[Capture]:
    with capture() as captured:
        yield captured


async def echo(call: Call) -> object:
    return call.payload


async def fail(call: Call) -> object:
    message = f"cannot {call.capability}"
    raise OSError(message)


@pytest.fixture
def enter(captured: Capture) -> Enter:
    """Enters a runtime with the capabilities `echo` and `fail`; options as keywords."""

    @asynccontextmanager
    async def world(
        router: Router | None = None, **options: object
    ) -> AsyncIterator[tuple[AgentRuntime, Surroundings]]:
        telemetry = captured.telemetry
        router = router or Router(Landscape((Model("small"),)), FixedEstimator(), telemetry)
        chosen = AgentOptions(**options)  # type: ignore[arg-type]  # each test names them rightly or fails
        async with EventBus(telemetry) as bus, ActionBroker(telemetry) as broker:
            broker.register(Capability("echo"), echo)
            broker.register(Capability("fail"), fail)
            async with AgentRuntime(bus, broker, router, telemetry, chosen) as runtime:
                yield runtime, Surroundings(bus, broker, router, telemetry, chosen)

    return world
