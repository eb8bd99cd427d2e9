"""How an example starts and ends: its environment, and its exit code.

0 everything went well and arrived · 1 something did not · 3 the environment is malformed · 128 + n: signal n
ended it early (130 for Ctrl-C, 143 for SIGTERM), with everything that had happened handled and sent. A task
that cannot be stopped does not keep it from ending; a thread does.
"""

import asyncio
import os
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from loom.contract import environment
from loom.errors import InputError
from loom.runtime.loom import Loom

Read = TypeVar("Read")

PATIENCE = 2.0
"""Seconds that tasks have to end which Loom left behind, before the process ends without them."""


def surroundings(environ: Mapping[str, str] | None, service: str) -> dict[str, str]:
    """The given environment, or the process's own, with a service name where it has none."""
    chosen = dict(os.environ if environ is None else environ)
    if not chosen.get(environment.SERVICE_NAME.name):
        chosen[environment.SERVICE_NAME.name] = service
    return chosen


def start(read: Callable[[], Read], work: Callable[[Read], Coroutine[Any, Any, int]]) -> int:
    """Do the work with what was read, if it can be read; the exit code."""
    try:
        given = read()
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return asyncio.run(_see_through(work(given)))


def exit_code(loom: Loom, *, good: bool) -> int:
    """Of a program whose Loom has ended; `good` is what the program itself thinks of its run."""
    if loom.stopped_by is not None:
        return 128 + loom.stopped_by
    return 0 if good and loom.arrived else 1


async def _see_through(work: Coroutine[Any, Any, int]) -> int:
    """Do the work, then end the process here and now if something does not let itself be stopped.

    `asyncio.run` would wait for that for ever. Nothing is lost: Loom has ended, and sent everything.
    """
    try:
        code = await work
    except Exception:
        if await _resisted():
            traceback.print_exc()
            os._exit(1)
        raise
    if await _resisted():
        sys.stdout.flush()
        os._exit(code)
    return code


async def _resisted() -> bool:
    """Stop what is left; whether something does not let itself be stopped, which is said then."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        _, left = await asyncio.wait(left, timeout=PATIENCE)
    if left:
        names = ", ".join(sorted(task.get_name() for task in left))
        print(f"ends without what resists being stopped: {names}", file=sys.stderr, flush=True)
    return bool(left)
