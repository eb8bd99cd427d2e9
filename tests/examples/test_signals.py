"""What a signal does to a real process: all is handled, sent and closed, and the exit code names it."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import psutil
import pytest

from loom.contract import environment
from loom.receiver import Recorder
from tests.waiting import until


def interrupt(receiver: Recorder, number: signal.Signals, mark: str, *command: str) -> list[str]:
    """Run an example, signal it when it prints `mark`; its lines from then on. Nothing of it stays."""
    environ = {**os.environ, environment.ENDPOINT.name: receiver.endpoint, "PYTHONUNBUFFERED": "1"}
    arguments = [sys.executable, "-m", *command]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        arguments, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environ
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if mark in line:
                if "load" in command[0]:  # it says nothing more, and something has to be under way
                    until(receiver.spans)
                children = psutil.Process(process.pid).children(recursive=True)
                process.send_signal(number)
                break
        rest = process.stdout.read().splitlines()
    assert process.returncode == 128 + number
    assert not any("Traceback" in line for line in rest)
    assert not any(child.is_running() for child in children)
    return rest


def all_sent(summary: Any, receiver: Recorder) -> bool:  # noqa: ANN401 - what JSON yields
    spans = summary["spans"]
    return bool(summary["arrived"]) and 0 < spans["created"] == spans["exported"] <= len(receiver.spans())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_example_that_is_interrupted_handles_and_sends_everything(
    receiver: Recorder, number: signal.Signals
) -> None:
    rest = interrupt(
        receiver, number, "initialized", "loom.examples.load", "--rate", "500", "--seconds", "60"
    )
    summary = json.loads(rest[-1])
    assert 0 < summary["published"] < 500 * 60
    assert summary["handled"] == summary["delivered"] == summary["published"]
    assert all_sent(summary, receiver)


def test_mcp_servers_end_with_the_example_that_is_interrupted(receiver: Recorder) -> None:
    rest = interrupt(receiver, signal.SIGTERM, "trains serves", "loom.examples.mcp_integration")
    assert "stopped by SIGTERM" in rest
    assert all_sent(json.loads(rest[-1]), receiver)


def test_a_handler_that_cannot_be_stopped_does_not_keep_an_example_from_ending(receiver: Recorder) -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from loom.examples.service import exit_code, start\n"
        "from loom.runtime import Event\n"
        "from loom.runtime.agent import AgentConfig, AgentOptions, ScriptedAgent\n"
        "from loom.runtime.configuration import Configuration\n"
        "from loom.runtime.loom import Loom\n"
        "from loom.telemetry import Settings\n"
        "async def resist(event, context):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    while True:\n"
        "        try:\n"
        "            await asyncio.sleep(3600)\n"
        "        except asyncio.CancelledError:\n"
        "            pass\n"
        "async def work(endpoint):\n"
        "    settings = Settings(traces_endpoint=endpoint, metrics_endpoint=endpoint)\n"
        "    async with Loom(Configuration(settings, agents=AgentOptions(drain=0.1))) as loom:\n"
        "        config = AgentConfig('planner', topics=('task',), setup_seconds=0.1)\n"
        "        loom.agents.create(config, ScriptedAgent(resist))\n"
        "        await loom.bus.publish('task', Event('chat'))\n"
        "        await loom.serve()\n"
        "    print('arrived:', loom.arrived)\n"
        "    return exit_code(loom, good=True)\n"
        "sys.exit(start(lambda: sys.argv[1], work))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, receiver.endpoint],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert done.stdout == "arrived: True\n"
    assert "ends without what resists being stopped: agent planner" in done.stderr


def test_an_example_that_fails_ends_although_a_task_cannot_be_stopped() -> None:
    script = (
        "import asyncio, sys\n"
        "from loom.examples.service import start\n"
        "async def resist():\n"
        "    while True:\n"
        "        try:\n"
        "            await asyncio.sleep(3600)\n"
        "        except asyncio.CancelledError:\n"
        "            pass\n"
        "async def work(_):\n"
        "    task = asyncio.create_task(resist(), name='stubborn')\n"
        "    await asyncio.sleep(0)\n"
        "    raise RuntimeError('it went wrong')\n"
        "sys.exit(start(lambda: None, work))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "ends without what resists being stopped: stubborn" in done.stderr
    assert "RuntimeError: it went wrong" in done.stderr


def test_a_signal_that_comes_while_it_starts_ends_it_with_the_same_code(receiver: Recorder) -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from loom.runtime.loom import Loom\n"
        "async def main():\n"
        "    asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGTERM)\n"
        "    async with Loom.from_environment():\n"
        "        sys.exit('it was not started yet')\n"
        "asyncio.run(main())\n"
    )
    hanging = json.dumps([{"name": "hanging", "command": "sleep", "args": ["600"]}])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={
            **os.environ,
            environment.ENDPOINT.name: receiver.endpoint,
            environment.MCP_SERVERS.name: hanging,
        },
    )
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert "Traceback" not in done.stderr
