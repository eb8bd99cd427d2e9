"""Interrupts: what was begun is undone, also when what they raised is lost."""

import os
import signal
from collections.abc import Callable

import pytest

from loom.cli.interruption import remembered, undone

both = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def _come(number: signal.Signals = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def _lost() -> None:
    """As at the end of a generator, where the interpreter drops what is raised."""
    try:
        _come()
    except KeyboardInterrupt:
        return


def _wrapped() -> None:
    """As by `__set_name__` of a class that is being imported."""

    class Named:
        def __set_name__(self, owner: type, name: str) -> None:
            _come()

    type("Owner", (), {"it": Named()})


@both
def test_what_was_begun_is_undone(number: signal.Signals) -> None:
    called: list[str] = []
    with pytest.raises(KeyboardInterrupt), undone(lambda: called.append("undone")):
        _come(number)
    assert called == ["undone"]


@pytest.mark.parametrize("happening", [_lost, _wrapped])
def test_also_when_what_it_raised_is_lost_or_became_another_error(happening: Callable[[], None]) -> None:
    called: list[str] = []
    with pytest.raises(KeyboardInterrupt), undone(lambda: called.append("undone")):
        happening()
    assert called == ["undone"]


@pytest.mark.parametrize("happening", [_come, _lost, _wrapped])
def test_one_is_remembered_and_the_next_one_heard_too(happening: Callable[[], None]) -> None:
    known: list[bool] = []

    def two_of_them() -> None:
        with remembered(signal.SIGINT) as came:
            known.append(came())
            _lost()
            known.append(came())
            happening()

    with pytest.raises(KeyboardInterrupt):
        two_of_them()
    assert known == [False, True]


@both
def test_a_second_one_does_not_disturb_the_undoing(number: signal.Signals) -> None:
    called: list[str] = []

    def undo() -> None:
        _come(number)
        called.append("undone")

    with pytest.raises(KeyboardInterrupt), undone(undo):
        _come()
    assert called == ["undone"]


def test_one_that_comes_when_all_is_done_is_not_heard_and_the_next_command_hears_again() -> None:
    with remembered(signal.SIGINT) as came:
        with undone(lambda: None):
            pass
        _come()
        assert not came()
    with pytest.raises(KeyboardInterrupt), remembered(signal.SIGINT):
        _come()


def test_nothing_is_undone_without_one_and_whatever_happens_the_signals_are_as_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    called: list[str] = []
    with undone(lambda: called.append("undone")):
        pass
    with pytest.raises(ValueError, match="x"), undone(lambda: called.append("undone")):
        int("x")
    with pytest.raises(KeyboardInterrupt), undone(lambda: None):
        _come()
    assert called == []
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
