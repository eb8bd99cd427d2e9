"""Begins traces, one root span each, and prints the headers that it hands on; then what became of all."""

import json
import sys
from collections.abc import Mapping

from loom.contract import attributes as a
from loom.contract.spans.event_bus import PUBLISH
from loom.telemetry import setup
from loom.telemetry.current import get_current
from loom.telemetry.propagation import encode
from loom.telemetry.settings import from_environ

AT_ONCE = 2_000
"""Traces between two looks at whether they have left: far below what may wait."""


def say(line: Mapping[str, object]) -> None:
    """To whoever goes on."""
    sys.stdout.write(f"{json.dumps(line)}\n")


def main(count: int) -> None:
    """Begin so many."""
    telemetry = setup(from_environ())
    for number in range(count):
        with telemetry.span(PUBLISH, {a.EVENT_ID.name: str(number), a.TOPIC.name: "fire"}):
            say(encode(get_current()))
        if number % AT_ONCE == 0:
            assert telemetry.flush(60), telemetry.ledger.lost
    arrived = telemetry.shutdown(60)
    say({"arrived": arrived, "spans": telemetry.ledger.exported})


main(int(sys.argv[1]))
