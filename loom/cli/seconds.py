"""How long to wait, as the command line says it."""

from math import isfinite
from typing import Any

import click


class _Seconds(click.FloatRange):
    """More than nothing, and an end: `nan` passes every comparison, and so no deadline would ever come."""

    name = "seconds"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not isfinite(seconds):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return seconds


SECONDS = _Seconds(min=0, min_open=True)
"""The type of every `--timeout`."""
