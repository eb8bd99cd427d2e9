"""A call of a capability, and how it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING

from loom.contract import attributes as a
from loom.errors import LoomRuntimeError, Problem

TIMEOUT_SECONDS = 30.0
"""Deadline of a call that names none."""

_PROCESS = token_hex(8)
_numbers = count(1)
_FOREVER = float("inf")


class Status(StrEnum):
    """How a call ended."""

    OK, ERROR, TIMEOUT, NOT_FOUND = a.CALL_STATUS.values


class ErrorCode(StrEnum):
    """Codes that the broker itself gives; providers may return others."""

    TIMEOUT = "TIMEOUT"
    NOT_FOUND = "NOT_FOUND"
    CAPABILITY_ERROR = "CAPABILITY_ERROR"
    """The provider raised."""
    CANCELLED = "CANCELLED"
    """The caller gave up, or the provider was cancelled."""
    INVALID_ARGUMENTS = "INVALID_ARGUMENTS"
    """The payload does not fit the capability's schema; nobody was asked to serve the call."""
    CLOSED = "CLOSED"
    """The broker was closed during the call."""


_WORDS: Mapping[str, str] = {
    ErrorCode.TIMEOUT: "no result before the deadline: give the call more time, or see why it hangs",
    ErrorCode.CANCELLED: "the caller gave up or the provider was cancelled: call again if it is still wanted",
    ErrorCode.CLOSED: "the broker was closed during the call: enter it for as long as calls may come",
}
"""What is said where nobody says more."""


def read_error(error: BaseException) -> str:
    """An exception's text; what stands for it when its class cannot even say that."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a broken `__str__` must not become an error of the runtime's
        return f"{type(error).__name__} without a text"


def _setters(frozen: type) -> list[Callable[[object, object], None]]:
    """What sets each field of a frozen class with slots, for its constructor alone.

    The constructor that dataclasses would write finds every field by its name, which takes twice as long; one
    of each is made for every event.
    """
    return [vars(frozen)[each.name].__set__ for each in fields(frozen)]


@dataclass(frozen=True, slots=True)
class CallError:
    """Why a call failed."""

    code: str
    """Short, for machines."""
    message: str = ""
    """For people and models; never recorded as telemetry."""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, init=False)
class Result:
    """How a call ended."""

    status: Status
    output: object = None
    error: CallError | None = None
    """Present exactly when the status is not OK."""

    def __init__(self, status: Status, output: object = None, error: CallError | None = None) -> None:
        """The fields, see `_setters`."""
        _set_status(self, status)
        _set_output(self, output)
        _set_error(self, error)

    @classmethod
    def failed(cls, code: str, message: str = "", status: Status = Status.ERROR) -> "Result":
        """A failure with its code; the broker's own codes say what to do where there is no message."""
        return cls(status, error=CallError(code, message or _WORDS.get(code, "")))

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.status is Status.OK


_set_status, _set_output, _set_error = _setters(Result)


@dataclass(frozen=True, slots=True, init=False)
class Call:
    """One call. Two calls with the same capability and id are one: the second gets the first one's result."""

    capability: str
    payload: object = None
    version: str = ""
    """Which version, as `loom.runtime.version` says; empty for the highest."""
    timeout: float = TIMEOUT_SECONDS
    """Seconds until this caller gets a timeout."""
    id: str = ""
    """Names the call for repetitions; empty for a call that is never repeated: it gets an id of its own."""
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = field(init=False)
    """Whether the caller named the call."""
    _number: int = field(init=False, repr=False, compare=False)

    def __init__(  # noqa: PLR0913, PLR0917 - the fields
        self,
        capability: str,
        payload: object = None,
        version: str = "",
        timeout: float = TIMEOUT_SECONDS,
        id: str = "",  # noqa: A002 - the field's own name
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Number a call without id; LoomRuntimeError for a deadline that is no time. See `_setters`."""
        if not 0 < timeout < _FOREVER:
            problem = Problem(f"a call's timeout is a positive number of seconds, not {timeout}")
            raise LoomRuntimeError(problem)
        _set_capability(self, capability)
        _set_payload(self, payload)
        _set_version(self, version)
        _set_timeout(self, timeout)
        _set_headers(self, {} if headers is None else headers)
        if id:
            _set_repeatable(self, True)  # noqa: FBT003 - a field
            _set_id(self, id)
        else:
            _set_repeatable(self, False)  # noqa: FBT003 - a field
            _set_number(self, next(_numbers))

    if not TYPE_CHECKING:  # or every name would pass for an attribute

        def __getattr__(self, name: str) -> str:
            """The id of a call that was given none, made when somebody asks for it."""
            if name != "id":
                raise AttributeError(name)
            made = f"call-{_PROCESS}-{self._number}"
            _set_id(self, made)
            return made


(
    _set_capability,
    _set_payload,
    _set_version,
    _set_timeout,
    _set_id,
    _set_headers,
    _set_repeatable,
    _set_number,
) = _setters(Call)
