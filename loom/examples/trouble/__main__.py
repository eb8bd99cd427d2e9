"""Makes faults, all in one process, until a line `mend` comes over stdin; then goes on in health.

It ends when stdin does.

python -m loom.examples.trouble drops backlog burning:0.05
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from loom.examples import service
from loom.examples.trouble import agents, bus, calls, models, process, servers
from loom.examples.trouble.pace import Scene, Trouble
from loom.runtime.configuration import Configuration
from loom.runtime.loom import Loom
from loom.runtime.mcp import Backoff, over_sdk
from loom.runtime.mcp import Options as McpOptions

TROUBLES: Mapping[str, Trouble] = {
    "drops": bus.drops,
    "backlog": bus.backlog,
    "slow-publish": bus.slow,
    "failing": calls.failing,
    "late": calls.late,
    "missing": calls.missing,
    "well": calls.well,
    "hum": calls.hum,
    "bursts": calls.bursts,
    "overflow": calls.overflow,
    "agents-gone": agents.gone,
    "agent-failing": agents.failing,
    "violations": agents.violations,
    "server-gone": servers.gone,
    "server-flapping": servers.flapping,
    "model-refused": models.refused,
    "model-slow": models.slow,
    "brief": process.brief,
    "huge": process.huge,
}
SHARED: Mapping[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "burning": calls.burning,
    "dropping": bus.dropping,
    "lagging": calls.lagging,
    "tools": models.tools,
}
"""Those with numbers: the share of what they do that goes wrong, and for `lagging` seconds."""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run it; the exit code, as `service` says."""
    parser = argparse.ArgumentParser(prog="python -m loom.examples.trouble", description=__doc__)
    known = (*TROUBLES, *(f"{name}:SHARE" for name in SHARED))
    parser.add_argument("troubles", nargs="+", metavar="TROUBLE", help=", ".join(known))
    wanted = [_trouble(parser, name) for name in parser.parse_args(arguments).troubles]
    chosen = service.surroundings(environ, "loom-trouble")

    def configure() -> Loom:
        mcp = McpOptions(Backoff(first=0.1, cap=0.5), connect=over_sdk(chosen))
        return Loom(replace(Configuration.from_environ(chosen), mcp=mcp))

    return service.start(configure, lambda loom: _run(loom, wanted))


def _trouble(parser: argparse.ArgumentParser, name: str) -> Trouble:
    kind, *numbers = name.split(":")
    if kind in SHARED and numbers:
        with suppress(ValueError):
            given = [float(number) for number in numbers]
            return lambda scene: SHARED[kind](scene, *given)
    if name not in TROUBLES:
        parser.error(f"there is no trouble {name!r}")
    return TROUBLES[name]


async def _run(loom: Loom, wanted: Sequence[Trouble]) -> int:
    async with loom:
        scene = Scene(loom)
        making = asyncio.ensure_future(_make(scene, wanted))
        tasks = (making, asyncio.ensure_future(_listen(scene)), asyncio.ensure_future(loom.serve()))
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    bad = [one for one in outcomes if isinstance(one, Exception)]
    for error in bad:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return service.exit_code(loom, good=not bad)


async def _make(scene: Scene, wanted: Sequence[Trouble]) -> None:
    async with asyncio.TaskGroup() as group:
        for trouble in wanted:
            group.create_task(trouble(scene))
        await asyncio.Event().wait()


async def _listen(scene: Scene) -> None:
    """Until stdin ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line.strip() == b"mend":
            scene.mended.set()


if __name__ == "__main__":
    sys.exit(main())
