"""Waiting for what another process does: one patience for all tests.

A wait that is met costs nothing, so the patience measures no speed: it has to outlast a busy machine
and the slowest thing that a healthy stack does by itself. That is Prometheus: an alert that fires before
Alertmanager was found is lost, and only said again after `--rules.alert.resend-delay`, a minute.
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TYPE_CHECKING, TypeVar

import httpx2

from loom.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
PATIENCE = 240.0
"""Seconds; below the time-out of a test, so that a test says what it waited for."""


def until(
    question: Callable[[], T], what: str | Callable[[], str] = "it never came true", seconds: float = PATIENCE
) -> T:
    """Ask until the answer is true, and return it; the test fails when it never was.

    A question whose answer does not come is asked again; the test fails with its last error.

    Args:
        question: What is asked, again and again.
        what: What did not happen, or how to find that out afterwards.
        seconds: For how long.
    """
    end = time.monotonic() + seconds
    failed: Exception | None = None
    while time.monotonic() < end:
        try:
            if answer := question():
                return answer
            failed = None
        except (OSError, HTTPException, httpx2.HTTPError, EngineError) as error:
            failed = error
        time.sleep(0.05)
    message = f"not within {seconds:g} s: {what if isinstance(what, str) else what()}"
    raise AssertionError(message) from failed
