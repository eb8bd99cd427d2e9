"""Structured logs: each line says what happened, and to which trace and span it belongs."""

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TextIO

from opentelemetry.trace import get_current_span

from loom.telemetry.tracing import is_shared

Form = Literal["text", "json"]

_ROOT = "loom"
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "trace_id", "span_id", "taskName"}
"""Fields that every record has; all others were given with `extra`."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How a process logs."""

    level: int = logging.INFO
    """Of everything below the logger `loom`; other libraries stay at WARNING."""
    form: Form = "text"
    """`text` for people, `json` for programs: one object a line."""


class Traced(logging.Filter):
    """Gives every record the trace and the span it was made in, as hexadecimal text, empty without one.

    A trace that is not kept has ids too, unless it shares them with all others that are not kept.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through."""
        context = get_current_span().get_span_context()
        known = context.is_valid and not is_shared(context)
        record.trace_id = f"{context.trace_id:032x}" if known else ""
        record.span_id = f"{context.span_id:016x}" if known else ""
        return True


class TextForm(logging.Formatter):
    """`INFO telemetry: OpenTelemetry initialized successfully`, and the trace id behind it."""

    def __init__(self) -> None:
        """Level, component, message."""
        super().__init__("%(levelname)s %(module)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, without the traceback that may follow."""
        line = super().formatMessage(record)
        trace_id = getattr(record, "trace_id", "")
        return f"{line} trace_id={trace_id}" if trace_id else line


class JsonForm(logging.Formatter):
    """One JSON object a line, whatever the message holds."""

    def format(self, record: logging.LogRecord) -> str:
        """Time in UTC, level, logger, message; trace and span, `extra` fields, exception where there are."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name in ("trace_id", "span_id") if (value := getattr(record, name, ""))}
        line |= {name: value for name, value in vars(record).items() if name not in _OWN | set(line)}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = {
                "type": record.exc_info[0].__qualname__,
                "stacktrace": self.formatException(record.exc_info),
            }
        return json.dumps(line, default=str)


def start(settings: LogSettings, stream: TextIO | None = None) -> Callable[[], None]:
    """Log to `stream`, stderr unless another is given; the function that comes back undoes it.

    A program that has configured logging itself keeps what it has.
    """
    root, logger = logging.getLogger(), logging.getLogger(_ROOT)
    if root.handlers or logger.handlers:
        return lambda: None
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Traced())
    handler.setFormatter(JsonForm() if settings.form == "json" else TextForm())
    before = logger.level
    logger.setLevel(settings.level)
    root.addHandler(handler)

    def stop() -> None:
        root.removeHandler(handler)
        logger.setLevel(before)

    return stop
