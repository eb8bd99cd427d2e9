"""An event on a span, and what an exception looks like as one."""

import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry.semconv.attributes import exception_attributes as names

from loom.errors import LoomError

CAUSES = 32
"""Exceptions of a chain that are described: every retry may add one."""


class Incident(NamedTuple):
    """Something that happened during a span."""

    name: str
    attributes: dict[str, Any]
    time: int
    """Unix nanoseconds."""


def describe(exception: BaseException, *, escaped: bool) -> dict[str, Any]:
    """An exception's type and stack under the standard names; the text of our own errors only.

    What a capability or a library writes into an exception may hold arguments, prompts or secrets: it goes to
    the process's log, never to a span. What cannot be described is left out: telemetry raises at nobody.
    """
    described: dict[str, Any] = {
        names.EXCEPTION_TYPE: _qualified(exception),
        names.EXCEPTION_ESCAPED: str(escaped),
    }
    try:
        described[names.EXCEPTION_STACKTRACE] = "".join(_stack(exception))
        if isinstance(exception, LoomError):
            described[names.EXCEPTION_MESSAGE] = str(exception)
    except Exception:  # noqa: BLE001, S110 - a broken `__str__` or loader must not fail what is only observed
        pass
    return described


def _stack(exception: BaseException) -> Iterator[str]:
    """The frames of an exception and of what caused it, outermost cause first, without any message."""
    for number, link in enumerate(_chain(exception)):
        if number:
            yield "\nled to\n\n"
        yield from traceback.format_tb(link.__traceback__)
        yield f"{_qualified(link)}\n"


def _chain(exception: BaseException) -> list[BaseException]:
    """An exception and what caused it, outermost cause first; the nearest of very many.

    Each is there once: `raise wrapper.__cause__ from wrapper` makes each of the two the other's cause.
    """
    chain: list[BaseException] = []
    seen: set[int] = set()
    link: BaseException | None = exception
    while link is not None and id(link) not in seen and len(chain) < CAUSES:
        chain.append(link)
        seen.add(id(link))
        link = _cause(link)
    return chain[::-1]


def _cause(exception: BaseException) -> BaseException | None:
    if exception.__cause__ is not None or exception.__suppress_context__:
        return exception.__cause__
    return exception.__context__


def _qualified(exception: BaseException) -> str:
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
