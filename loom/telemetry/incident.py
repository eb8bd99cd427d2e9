"""An event on a span, and what an exception looks like as one."""

import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry.semconv.attributes import exception_attributes as names

from loom.errors import LoomError


class Incident(NamedTuple):
    """Something that happened during a span."""

    name: str
    attributes: dict[str, Any]
    time: int
    """Unix nanoseconds."""


def describe(exception: BaseException, *, escaped: bool) -> dict[str, Any]:
    """An exception's type and stack under the standard names; the text of our own errors only.

    What a capability or a library writes into an exception may hold arguments, prompts or secrets: it goes to
    the process's log, never to a span.
    """
    described: dict[str, Any] = {
        names.EXCEPTION_TYPE: _qualified(exception),
        names.EXCEPTION_STACKTRACE: "".join(_stack(exception)),
        names.EXCEPTION_ESCAPED: str(escaped),
    }
    if isinstance(exception, LoomError):
        described[names.EXCEPTION_MESSAGE] = str(exception)
    return described


def _stack(exception: BaseException) -> Iterator[str]:
    """The frames of an exception and of what caused it, outermost cause first, without any message."""
    cause = exception.__cause__ or (None if exception.__suppress_context__ else exception.__context__)
    if cause is not None and cause is not exception:
        yield from _stack(cause)
        yield "\nled to\n\n"
    yield from traceback.format_tb(exception.__traceback__)
    yield f"{_qualified(exception)}\n"


def _qualified(exception: BaseException) -> str:
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
