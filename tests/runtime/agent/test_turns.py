"""Turns and deadlines by themselves."""

import asyncio

import pytest

from loom.runtime.agent.turns import Turns
from loom.runtime.agent.watch import Watch


async def take(turns: Turns) -> None:
    if turns.free > 0:
        turns.free -= 1
    else:
        await turns.wait()


def test_turns_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    got: list[int] = []

    async def run() -> None:
        turns = Turns(2)

        async def work(number: int) -> None:
            await take(turns)
            got.append(number)
            assert turns.busy <= 2
            await asyncio.sleep(0)
            turns.give()

        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(work(number))
            await asyncio.sleep(0)
            assert (got, turns.waiting) == ([], 10)
            turns.open()
        assert (turns.free, turns.busy) == (2, 0)

    asyncio.run(run())
    assert got == list(range(10))


def test_a_turn_that_was_given_to_somebody_who_is_cancelled_goes_to_the_next() -> None:
    async def run() -> None:
        turns = Turns(1)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(turns.wait())
            second = group.create_task(turns.wait())
            third = group.create_task(turns.wait())
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.sleep(0)
            assert turns.waiting == 2
            turns.open()
            first.cancel()
            await third
            assert turns.busy == 1
            turns.give()
        assert (turns.free, turns.waiting) == (1, 0)

    asyncio.run(run())


def test_closed_turns_become_idle_when_the_last_one_is_given_back() -> None:
    async def run() -> None:
        turns = Turns(2)
        turns.open()
        await take(turns)
        await take(turns)
        turns.close()
        async with asyncio.TaskGroup() as group:
            idle = group.create_task(turns.idle())
            waiting = group.create_task(turns.wait())
            await asyncio.sleep(0)
            turns.give()
            await asyncio.sleep(0)
            assert not idle.done()
            turns.give()
            await idle
            assert not waiting.done()
            turns.open()

    asyncio.run(run())


def test_a_short_deadline_after_a_long_one_holds() -> None:
    async def run() -> None:
        watch = Watch()
        with watch.limit(60):
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError), watch.limit(0.01):
            await asyncio.get_running_loop().create_future()
        watch.close()

    asyncio.run(run())


def test_a_cancellation_from_outside_wins_over_a_deadline_that_is_over_too() -> None:
    async def run() -> None:
        async def work() -> None:
            watch = Watch()
            try:
                with watch.limit(0.005):
                    try:
                        await asyncio.get_running_loop().create_future()
                    except asyncio.CancelledError:
                        late.set()
                        await asyncio.get_running_loop().create_future()
            finally:
                watch.close()

        late = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work())
            await late.wait()
            task.cancel()
        assert task.cancelled()

    asyncio.run(run())
