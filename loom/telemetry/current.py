"""The current context, two calls nearer: every event asks for it several times.

OpenTelemetry's own functions hand each call on to a runtime context, which hands it on to a context variable.
Where it is kept in anything else than a context variable (OTEL_PYTHON_CONTEXT), they are used as they are.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import cast

from opentelemetry import context as api
from opentelemetry.context import Context

_logger = logging.getLogger(__name__)

_variable: object = getattr(api._RUNTIME_CONTEXT, "_current_context", None)  # noqa: SLF001 - see above


def _detach_from(variable: "ContextVar[Context]") -> Callable[[Token[Context]], None]:
    reset = variable.reset

    def detach(token: Token[Context]) -> None:
        try:
            reset(token)
        except (ValueError, RuntimeError):  # another task ends the block, as with abandoned generators
            _logger.exception("the context was attached elsewhere")

    return detach


get_current: Callable[[], Context] = api.get_current
attach: Callable[[Context], Token[Context]] = api.attach
detach: Callable[[Token[Context]], None] = api.detach
if isinstance(_variable, ContextVar):
    _kept = cast("ContextVar[Context]", _variable)
    get_current, attach, detach = _kept.get, _kept.set, _detach_from(_kept)
