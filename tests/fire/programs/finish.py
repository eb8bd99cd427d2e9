"""Goes on with traces that another process has begun: an agent's run in each, with one action below it.

Reads the headers from its input, a line for each trace. What is remarkable about a trace is on its last span.
The last line it prints says which trace is of which kind, and what became of the spans.
"""

import json
import sys

from loom.contract import attributes as a
from loom.contract import canary
from loom.contract.spans.agent import EXECUTE_ACTION, RUN
from loom.telemetry import setup
from loom.telemetry.propagation import decode
from loom.telemetry.settings import from_environ
from loom.telemetry.telemetry import Telemetry

AT_ONCE = 1_000
SECOND = 1_000_000_000
SLOW, FAST = 3 * SECOND, SECOND // 100
KINDS = {0: "error", 7: "slow", 13: "canary"}
EVERY = 40
"""One trace in so many is of a kind."""


def main() -> None:
    """Go on with every trace that is handed over."""
    telemetry = setup(from_environ())
    kinds: dict[str, str] = {}
    for number, line in enumerate(sys.stdin):
        headers = json.loads(line)
        if "arrived" in headers:
            begun = headers
            break
        kind = KINDS.get(number % EVERY, "")
        kinds[go_on(telemetry, headers, kind)] = kind
        if number % AT_ONCE == 0:
            assert telemetry.flush(60), telemetry.ledger.lost
    arrived = telemetry.shutdown(60) and begun["arrived"]
    spans = begun["spans"] + telemetry.ledger.exported
    sys.stdout.write(f"{json.dumps({'arrived': arrived, 'spans': spans, 'kinds': kinds})}\n")


def go_on(telemetry: Telemetry, headers: dict[str, str], kind: str) -> str:
    """One run, in the trace of the headers; its trace id."""
    run = telemetry.tracing.start(RUN, {a.AGENT_TYPE.name: "worker"}, decode(headers))
    assert run, "everything is kept here: what is dropped is decided by the samplers"
    below = telemetry.tracing.below(run, decode(headers))
    own = {canary.CANARY.name: True} if kind == "canary" else {a.CAPABILITY.name: "count"}
    action = telemetry.tracing.start(EXECUTE_ACTION, own, below)
    assert action
    if kind == "error":
        action.fail("Broken")
    end = run.start_time + (SLOW if kind == "slow" else FAST)
    action.end(end)
    run.end(end)
    return f"{run.context.trace_id:032x}"


main()
