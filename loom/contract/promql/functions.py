"""PromQL functions and set operations that rules need, as expressions."""

from collections.abc import Iterable
from dataclasses import replace

from loom.contract.promql import expression as e
from loom.contract.promql.expression import Expression, Matcher
from loom.contract.series import Series


def vector(value: float) -> Expression:
    """`vector(value)`: one sample without labels, always there."""
    return Expression(f"vector({e.number(value)})", frozenset(), frozenset())


def now() -> Expression:
    """`time()`: Unix time of the evaluation, without labels."""
    return Expression("time()", frozenset(), frozenset())


def absent(series: Series, matchers: Iterable[Matcher] = ()) -> Expression:
    """`absent(selector)`: 1 where no such series exists, with the labels its equality matchers name."""
    chosen = tuple(matchers)
    argument = e.select(series, chosen)
    labels = frozenset(matcher.label for matcher in chosen if matcher.operator == "=")
    return Expression(f"absent({argument.text})", argument.series, labels)


def predict_linear(ranged: Expression, seconds: float) -> Expression:
    """`predict_linear(range, seconds)`: the value a straight line through the range reaches by then."""
    text = f"predict_linear({ranged.text}, {e.number(seconds)})"
    return Expression(text, ranged.series, ranged.labels)


def share_of_time(known: Expression, window: str, step: str) -> Expression:
    """The share of a window in which there was a value, looked at once a step; none where it never was.

    Steps are divided by steps: however often something is recorded, and however short a window is made.
    """
    steps, every = (e.call("count_over_time", _stepwise(one, window, step)) for one in (known, vector(1)))
    return e.binary(steps, "/", e.call("scalar", every))


def both(left: Expression, *others: Expression, on: Iterable[str] | None = None) -> Expression:
    """`left and …`: the left side where every other has a sample with the same labels, or those in `on`."""
    matching = "" if on is None else f"on ({', '.join(on)})"
    for other in others:
        text = e.binary(left, "and", other, matching).text
        left = Expression(text, left.series | other.series, left.labels, atomic=False)
    return left


def either(first: Expression, *others: Expression) -> Expression:
    """`first or …`: all samples of the first, and of the others those with labels not seen before."""
    for other in others:
        first = e.binary(first, "or", other)
    return first


def _stepwise(expression: Expression, window: str, step: str) -> Expression:
    return replace(expression, text=f"{expression.operand()}[{window}:{step}]", atomic=True)


def unless(left: Expression, right: Expression) -> Expression:
    """`left unless right`: the left side where the right has no sample with the same labels."""
    text = e.binary(left, "unless", right).text
    return Expression(text, left.series | right.series, left.labels, atomic=False)
