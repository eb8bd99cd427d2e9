"""What a span says of an exception, however odd the exception is: telemetry never raises into its caller."""

import pytest
from opentelemetry.trace import StatusCode

from loom.contract.spans import event_bus
from loom.errors import LoomRuntimeError
from loom.telemetry.capture import Capture
from loom.telemetry.incident import CAUSES, describe

STACK = "exception.stacktrace"


def connect(cause: BaseException | None = None) -> None:
    raise ConnectionError from cause


def retry() -> None:
    try:
        connect()
    except ConnectionError as error:
        raise RuntimeError from error


def unwrap() -> None:
    """What many do with the error of a library that retries: its cause becomes its effect as well."""
    try:
        retry()
    except RuntimeError as error:
        raise (error.__cause__ or error) from error


def chain(length: int) -> Exception:
    """The last of so many exceptions, each raised from the one before; `KeyError` is the first."""
    last: Exception = KeyError()
    for _ in range(length - 1):
        with pytest.raises(ConnectionError) as caught:
            connect(last)
        last = caught.value
    return last


def named(stack: str) -> list[str]:
    """The types in a stack, in its order."""
    return [part.splitlines()[-1] for part in stack.split("\nled to\n\n")]


def test_causes_that_go_in_a_circle_are_described_once(captured: Capture) -> None:
    with pytest.raises(ConnectionError), captured.telemetry.span(event_bus.SUBSCRIBE, {}):
        unwrap()
    (ended,) = captured.spans()
    assert ended.status.status_code is StatusCode.ERROR
    (event,) = ended.events
    stack = str((event.attributes or {})[STACK])
    assert named(stack) == ["RuntimeError", "ConnectionError"]
    assert "in retry" in stack
    assert "in connect" in stack


def test_an_exception_may_be_the_context_of_itself() -> None:
    error = OSError()
    error.__cause__ = error
    assert named(describe(error, escaped=False)[STACK]) == ["OSError"]


def test_causes_come_first_and_of_a_long_chain_the_nearest_are_kept() -> None:
    assert named(describe(chain(3), escaped=False)[STACK]) == ["KeyError", *["ConnectionError"] * 2]
    assert named(describe(chain(10 * CAUSES), escaped=False)[STACK]) == ["ConnectionError"] * CAUSES


def test_a_cause_may_be_an_exception_that_is_false() -> None:
    class Nothing(Exception):  # noqa: N818 - what other people call theirs
        def __len__(self) -> int:
            return 0

    error = OSError()
    error.__cause__ = Nothing()
    assert named(describe(error, escaped=False)[STACK])[0].endswith("Nothing")


def test_a_context_is_a_cause_unless_it_was_suppressed() -> None:
    error = OSError()
    error.__context__ = KeyError()
    assert named(describe(error, escaped=False)[STACK]) == ["KeyError", "OSError"]
    error.__cause__ = None  # what `from None` does
    assert named(describe(error, escaped=False)[STACK]) == ["OSError"]


class MuteError(LoomRuntimeError):
    """Cannot say what it is."""

    def __str__(self) -> str:
        """Fail."""
        raise ValueError


def test_an_error_of_ours_without_a_text_fails_its_span_and_nobody_else(captured: Capture) -> None:
    with pytest.raises(MuteError), captured.telemetry.span(event_bus.SUBSCRIBE, {}):
        raise MuteError
    (ended,) = captured.spans()
    (event,) = ended.events
    assert set(event.attributes or {}) == {"exception.type", "exception.escaped", STACK}
    assert str((event.attributes or {})["exception.type"]).endswith("MuteError")


class Broken:
    """A loader that cannot give the source of its module, until it is mended for the test's own report."""

    mended = False

    def get_source(self, name: str) -> str:
        if not self.mended:
            raise ValueError(name)
        return ""


def test_a_stack_that_cannot_be_described_leaves_the_type(captured: Capture) -> None:
    code, loader = compile("1 / 0", "nowhere.py", "exec"), Broken()
    try:
        with pytest.raises(ZeroDivisionError), captured.telemetry.span(event_bus.SUBSCRIBE, {}):
            exec(code, {"__name__": "nowhere", "__loader__": loader})  # noqa: S102 - a module with that loader
    finally:
        loader.mended = True
    (ended,) = captured.spans()
    (event,) = ended.events
    assert dict(event.attributes or {}) == {
        "exception.type": "ZeroDivisionError",
        "exception.escaped": "False",
    }
