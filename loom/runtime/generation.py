"""The language model as a capability: agents ask it like anything else."""

from collections.abc import Mapping

from loom.runtime.broker import ActionBroker
from loom.runtime.call import Call, Result, Status
from loom.runtime.capability import Capability
from loom.runtime.orchestrator import Orchestrator

NAME = "llm.generate"
"""The capability's name."""

_SCHEMA = {
    "type": ["object", "string"],
    "minLength": 1,
    "properties": {"prompt": {"type": "string", "minLength": 1, "description": "The question."}},
    "required": ["prompt"],
}
"""An object, or the question itself."""


def offer(broker: ActionBroker, orchestrator: Orchestrator) -> None:
    """Register it: its payload is a question, or an object with a `prompt`; its output the answer's text."""

    async def generate(call: Call) -> Result:
        payload = call.payload
        answer = await orchestrator.run(str(payload["prompt"] if isinstance(payload, Mapping) else payload))
        if answer.failure is None:
            return Result(Status.OK, answer.text)
        status = Status.TIMEOUT if answer.outcome == "timeout" else Status.ERROR
        return Result.failed(answer.failure.code, str(answer.failure.problem), status)

    capability = Capability(
        NAME, description="Answers a question with a language model and tools.", schema=_SCHEMA
    )
    broker.register(capability, generate)
