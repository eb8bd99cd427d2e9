"""PromQL as objects: an expression knows its text, the series it reads and the labels it leaves.

Labels are checked while an expression is built: a selector or an aggregation that names a label its series
does not carry raises `LabelError` there and then, long before a Prometheus sees it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from loom.contract.series import Series

Operator = Literal["+", "-", "*", "/", ">", "<", ">=", "<=", "==", "!=", "and", "or", "unless"]


class LabelError(ValueError):
    """A label that the series does not carry."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher: `label operator "value"`."""

    label: str
    operator: Literal["=", "!=", "=~", "!~"]
    value: str

    def __str__(self) -> str:
        """As PromQL writes it."""
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{quoted}"'


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression: its text, what it reads, what it leaves."""

    text: str
    series: frozenset[Series]
    """The series it reads."""
    labels: frozenset[str]
    """The labels its result carries at the most."""
    atomic: bool = True
    """Whether it may stand as an operand without parentheses."""

    def __str__(self) -> str:
        """The PromQL text."""
        return self.text

    def operand(self) -> str:
        """The text, in parentheses where it needs them."""
        return self.text if self.atomic else f"({self.text})"


def select(
    series: Series, matchers: Iterable[Matcher] = (), window: str = "", *, offset: str = ""
) -> Expression:
    """`name{matchers}`, with a window `name{matchers}[5m]`, and as it was `name{matchers} offset 5m`."""
    chosen = tuple(matchers)
    _known({matcher.label for matcher in chosen}, frozenset(series.labels), series.name)
    text = series.name
    if chosen:
        text += "{" + ",".join(str(matcher) for matcher in chosen) + "}"
    if window:
        text += f"[{window}]"
    if offset:
        text += f" offset {offset}"
    return Expression(text, frozenset({series}), frozenset(series.labels))


def call(function: str, argument: Expression, *scalars: float, drop: Iterable[str] = ()) -> Expression:
    """`function(scalars…, argument)`; `drop` are the labels it takes away, as `le` by histogram_quantile."""
    parts = [*(number(scalar) for scalar in scalars), argument.text]
    return Expression(f"{function}({', '.join(parts)})", argument.series, argument.labels - set(drop))


def aggregate(
    operation: str, argument: Expression, *, by: Iterable[str] = (), without: Iterable[str] | None = None
) -> Expression:
    """`operation by (…) (argument)`, or `without`; neither leaves one value without labels."""
    kept, dropped = tuple(by), tuple(without) if without is not None else None
    if dropped is not None:
        _known(dropped, argument.labels, argument.text)
        text = f"{operation} without ({', '.join(dropped)}) ({argument.text})"
        return Expression(text, argument.series, argument.labels - set(dropped))
    _known(kept, argument.labels, argument.text)
    grouping = f" by ({', '.join(kept)}) " if kept else ""
    return Expression(f"{operation}{grouping}({argument.text})", argument.series, frozenset(kept))


def binary(left: Expression, operator: Operator, right: Expression, matching: str = "") -> Expression:
    """`left operator right`; `matching` is a clause such as `on (job)`."""
    middle = f"{operator} {matching}" if matching else operator
    text = f"{left.operand()} {middle} {right.operand()}"
    return Expression(text, left.series | right.series, left.labels | right.labels, atomic=False)


def scalar(value: float) -> Expression:
    """A number as an expression."""
    return Expression(number(value), frozenset(), frozenset())


def number(value: float) -> str:
    """A number as PromQL writes it: no trailing `.0`."""
    return f"{value:.15g}"


def _known(asked: Iterable[str], carried: frozenset[str], where: str) -> None:
    unknown = sorted(set(asked) - carried)
    if unknown:
        message = f"{where} carries no label {', '.join(unknown)}; it has {', '.join(sorted(carried))}"
        raise LabelError(message)
