"""autogen-core with the same bursts, run by an interpreter of its own: `python bench/peer.py`.

Each line of its input is a number of bursts; it answers with the seconds of processor time an event cost.
It must not import anything of Loom: autogen-core holds protobuf back.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from time import process_time

from autogen_core import (
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
)

BURST = 64
TOPIC = TopicId("tick", "bench")


@dataclass
class Tick:
    """An event."""

    number: int


class Counter(RoutedAgent):
    """A subscriber."""

    seen = 0

    def __init__(self) -> None:
        """Nothing to set up."""
        super().__init__("counts")

    @message_handler
    async def handle(self, message: Tick, ctx: MessageContext) -> None:
        """See an event."""
        del message, ctx
        Counter.seen += 1


async def measure(runtime: SingleThreadedAgentRuntime, bursts: int) -> float:
    """Seconds of processor time an event."""
    started = process_time()
    for _ in range(bursts):
        due = Counter.seen + BURST
        for number in range(BURST):
            await runtime.publish_message(Tick(number), TOPIC)
        # Cheaper for the peer than an event that its handler sets.
        while Counter.seen < due:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)
    return (process_time() - started) / bursts / BURST


async def main() -> None:
    """Answer line by line until the input ends."""
    runtime = SingleThreadedAgentRuntime()
    await Counter.register(runtime, "counter", Counter)
    await runtime.add_subscription(TypeSubscription("tick", "counter"))
    runtime.start()
    for line in sys.stdin:
        print(await measure(runtime, int(line)), flush=True)
    await runtime.stop()


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asyncio.run(main())
