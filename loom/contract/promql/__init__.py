"""PromQL built from objects, never typed as text."""

from loom.contract.promql.expression import (
    Expression,
    LabelError,
    Matcher,
    aggregate,
    binary,
    call,
    scalar,
    select,
)
from loom.contract.promql.functions import (
    absent,
    both,
    either,
    now,
    predict_linear,
    share_of_time,
    unless,
    vector,
)
from loom.contract.promql.queries import Queries, above, below, ratio, zero_unless

__all__ = [
    "Expression",
    "LabelError",
    "Matcher",
    "Queries",
    "above",
    "absent",
    "aggregate",
    "below",
    "binary",
    "both",
    "call",
    "either",
    "now",
    "predict_linear",
    "ratio",
    "scalar",
    "select",
    "share_of_time",
    "unless",
    "vector",
    "zero_unless",
]
