"""The small parts: lines, pauses, leashes, environments, arguments."""

import asyncio
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.runtime.mcp import Stdio
from loom.runtime.mcp.backoff import Backoff
from loom.runtime.mcp.child import child_environment
from loom.runtime.mcp.leash import Leash
from loom.runtime.mcp.lines import EDGE, Lines, Oversize


@given(st.lists(st.binary(max_size=40)), st.integers(0, 30))
def test_lines_are_those_of_the_whole_stream_however_it_is_cut(chunks: list[bytes], limit: int) -> None:
    lines = Lines(limit)
    got = [line for chunk in chunks for line in lines.feed(chunk)]
    wanted = b"".join(chunks).split(b"\n")[:-1]
    assert len(got) == len(wanted)
    for line, whole in zip(got, wanted, strict=True):
        if len(whole) <= limit:
            assert line == whole
        else:
            assert line == Oversize(whole[:EDGE], whole[-EDGE:], len(whole))


@given(st.lists(st.binary(min_size=1, max_size=400), min_size=1))
def test_a_long_line_keeps_its_ends(chunks: list[bytes]) -> None:
    whole = b"".join(chunk.replace(b"\n", b" ") for chunk in chunks)
    lines = Lines(0)
    for chunk in chunks:
        assert lines.feed(chunk.replace(b"\n", b" ")) == []
    assert lines.feed(b"\n") == [Oversize(whole[:EDGE], whole[-EDGE:], len(whole))]


@given(st.integers(1, 10_000), st.integers())
def test_a_pause_grows_to_its_cap_and_jitter_only_shortens_it(failures: int, seed: int) -> None:
    backoff = Backoff(first=0.5, factor=2, cap=30, jitter=0.5)
    whole = min(30, 0.5 * 2 ** min(failures - 1, 60))
    assert whole / 2 <= backoff.delay(failures, Random(seed)) <= whole  # noqa: S311 - jitter


def test_pauses_without_jitter_double() -> None:
    backoff, luck = Backoff(first=1, factor=2, cap=10, jitter=0), Random()  # noqa: S311 - jitter
    assert [backoff.delay(failures, luck) for failures in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_a_child_gets_what_is_harmless_what_is_named_and_what_is_set() -> None:
    environ = {
        "HOME": "/root",
        "OTEL_SERVICE_NAME": "loom",
        "OTEL_EXPORTER_OTLP_HEADERS": "key=secret",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "key=secret",
        "DEPLOYMENT_ENV": "production",
        "GITHUB_TOKEN": "secret",
        "OTHER": "x",
    }
    plain = {"HOME": "/root", "OTEL_SERVICE_NAME": "loom", "DEPLOYMENT_ENV": "production"}
    assert child_environment(Stdio("x"), environ) == plain
    stdio = Stdio("x", env={"OTEL_SERVICE_NAME": "child"}, inherit=("GITHUB_TOKEN",))
    assert child_environment(stdio, environ) == {
        **plain,
        "OTEL_SERVICE_NAME": "child",
        "GITHUB_TOKEN": "secret",
    }


@pytest.mark.parametrize(
    ("ours", "childs"),
    [
        ("service.instance.id=pod-1", None),
        ("team=a%2Cb, service.instance.id = pod-1 ,region=eu", "team=a%2Cb,region=eu"),
        ("service%2Einstance%2eid=pod-1,team=a", "team=a"),
        ("team=service.instance.id", "team=service.instance.id"),
        ("service.instance.id.more=x", "service.instance.id.more=x"),
        ("", None),
    ],
)
def test_a_child_is_an_instance_of_its_own(ours: str, childs: str | None) -> None:
    environ = {"OTEL_RESOURCE_ATTRIBUTES": ours}
    for stdio in (Stdio("x"), Stdio("x", inherit=("OTEL_RESOURCE_ATTRIBUTES",))):
        assert child_environment(stdio, environ).get("OTEL_RESOURCE_ATTRIBUTES") == childs
    own = {"OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=child"}
    assert child_environment(Stdio("x", env=own), environ) == own


@pytest.mark.anyio
async def test_a_leash_interrupts_only_until_the_block_winds_up() -> None:
    async with Leash(0) as over:
        await asyncio.Event().wait()
    assert over.expired
    leash = Leash(60)
    async with leash:
        asyncio.get_running_loop().call_soon(leash.pull)
        await asyncio.Event().wait()
    assert leash.pulled
    assert not leash.expired
    leash = Leash(60)
    async with leash:
        leash.loosen()
        leash.let_go()
        leash.pull()
        await asyncio.sleep(0)
    assert not leash.pulled


@pytest.mark.anyio
async def test_a_leash_lets_other_errors_and_cancellations_through() -> None:
    with pytest.raises(KeyError):
        async with Leash(60):
            raise KeyError
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), Leash(60):
            await asyncio.Event().wait()


def test_importing_the_room_imports_neither_the_sdk_nor_pydantic() -> None:
    script = (
        "import sys, loom.runtime.mcp, loom.runtime.mcp.fake\n"
        "print([name for name in ('mcp', 'httpx2', 'pydantic', 'jsonschema') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
