"""Whether one observed span is as the contract says. Pure, and of no particular store or wire."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from loom.contract import attributes as a
from loom.contract.attribute import Attribute
from loom.contract.span import Span

Value = str | int | float | bool

OK, ERROR = "OK", "ERROR"

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "double": (float, int),
    "boolean": (bool,),
}
_OF_ERRORS = (a.ERROR_TYPE, a.ERROR_CODE)
"""What any span that ends as an error may carry."""


class Observed(Protocol):
    """A span as somebody saw it."""

    @property
    def kind(self) -> str:
        """`producer`, `internal` …; empty when it has none."""

    @property
    def status(self) -> str:
        """`OK`, `ERROR`, or empty when it was never set."""

    @property
    def attributes(self) -> Mapping[str, Value]:
        """Name → value."""


def span_faults(span: Span, seen: Observed) -> Iterator[str]:
    """What is wrong with a span by itself: kind, status, attributes; its parent is `parent_fault`'s."""
    if seen.kind != span.kind:
        yield f"its kind is {seen.kind or 'not set'}, not {span.kind}"
    if seen.status not in {OK, ERROR}:
        yield "its status was never set"
    if seen.status == ERROR and a.ERROR_TYPE.name not in seen.attributes:
        yield f"its status is ERROR without {a.ERROR_TYPE.name}"
    for attribute in span.attributes:
        if attribute.name not in seen.attributes:
            yield f"it has no attribute {attribute.name}"
    for attribute in (*span.attributes, *span.optional):
        if attribute.name in seen.attributes:
            yield from value_faults(attribute, seen.attributes[attribute.name])


def unknown_attributes(span: Span, seen: Observed) -> list[str]:
    """Names of attributes that the contract does not give this span."""
    known = {attribute.name for attribute in (*span.attributes, *span.optional)}
    if seen.status == ERROR:
        known |= {attribute.name for attribute in _OF_ERRORS}
    return [name for name in seen.attributes if name not in known]


def value_faults(attribute: Attribute, value: Value) -> Iterator[str]:
    """What is wrong with an attribute's value on a span: its type, or a value outside the closed set."""
    boolean = isinstance(value, bool) and attribute.type != "boolean"
    if boolean or not isinstance(value, _TYPES[attribute.type]):
        yield f"{attribute.name}={value!r} is not of type {attribute.type}"
    elif attribute.values and value not in attribute.values:
        yield f"{attribute.name}={value!r} is not one of {', '.join(attribute.values)}"


def parent_fault(span: Span, parent: str | None) -> str:
    """What is wrong with the parent, given by its key; None for a root. Empty when all is well."""
    if not span.parents or "" in span.parents or parent in span.parents:
        return ""
    what = "a root" if parent is None else f"below {parent}"
    return f"it is {what}, not below {' or '.join(span.parents)}"
