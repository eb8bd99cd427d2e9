"""One attempt to connect: why it is made, in which trace, and who waits for its outcome."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.context import Context

from loom.contract import attributes as a
from loom.contract import span as contract
from loom.contract.spans import mcp_manager as spans
from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.fault import ServerError
from loom.telemetry import AnySpan, Telemetry

NOWHERE = Context()
"""No trace: an attempt that nobody asked for begins one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request to the owner task of a server."""

    span: contract.Span = spans.RECONNECT_SERVER
    """`add_server` for the first attempt, `reconnect_server` for all others."""
    context: Context = field(default_factory=Context)
    """Where the span hangs."""
    waiting: "asyncio.Future[None] | None" = field(default=None, compare=False)
    """Who wants to know."""

    @property
    def first(self) -> bool:
        """Whether it adds the server."""
        return self.span is spans.ADD_SERVER

    def succeed(self) -> None:
        """Tell who waits."""
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(None)

    def fail(self, fault: ServerError) -> None:
        """Tell who waits why not."""
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(fault)


@contextmanager
def tracing(
    telemetry: Telemetry, definition: contract.Span, config: ServerConfig, context: Context | None = None
) -> Iterator[AnySpan]:
    """A span of the manager; a ServerError that leaves the block gives it its code."""
    attributes = {a.SERVER.name: config.name, a.TRANSPORT.name: config.endpoint.transport}
    fault: ServerError | None = None
    with telemetry.span(definition, attributes, context) as span:
        try:
            yield span
        except ServerError as error:
            # Kept from the span itself: it would put the exception's name over the code.
            fault = error
            span.fail(error, error.code)
    if fault is not None:
        raise fault
