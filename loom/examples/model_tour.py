"""Shows the tool orchestrator: every way a run can end, and every way a tool call can."""

from loom.examples.expectation import Expectations
from loom.runtime.loom import Loom
from loom.runtime.orchestrator import Options
from loom.runtime.orchestrator.script import Reply, ScriptedCall

_FORECAST = ScriptedCall("weather:forecast", {"city": "Rome"})
_EACH = Reply(
    calls=(
        _FORECAST,
        ScriptedCall("weather:stations", {"city": "Rome"}),
        ScriptedCall("weather:archive", {"city": "Rome"}),
        ScriptedCall("weather:tides", {"city": "Rome"}),
    )
)
"""Works, fails, takes too long, is not there."""

RUNS = (
    ("answered", Options(tool_choice="required", call_timeout=0.3, refine=False), (_EACH, Reply("Rome."))),
    ("answered", Options(tool_choice="none"), (Reply("I know without looking."),)),
    (
        "tool_limit",
        Options(max_rounds=1, refine=False),
        (Reply(calls=(_FORECAST,)), Reply(calls=(_FORECAST,))),
    ),
    ("error", Options(), (Reply(status=401),)),
    ("timeout", Options(request_timeout=0.3), (Reply(fault="hang"),)),
)
"""How a run ends, its limits, and what the model says to it."""

REPLIES = tuple(reply for _, _, replies in RUNS for reply in replies)


async def show(loom: Loom, expected: Expectations) -> None:
    """One run after another: the script's replies are in their order."""
    for outcome, options, _ in RUNS:
        answer = await loom.orchestrator.run("Where is it warm?", options)
        expected.check(f"a run that ends with {outcome}", answer.outcome, outcome)
        calls = ", ".join(f"{call.tool} {call.status.value}" for call in answer.calls) or "no tool calls"
        print(f"a run with the model ended with {answer.outcome}: {calls}")
