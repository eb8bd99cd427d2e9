"""The tool orchestrator: answers questions with a language model that may call the broker's capabilities.

Models that answer from a script are in `script` and `scripted`, apart: programs in production need neither.
"""

from loom.runtime.orchestrator.answer import Answer, CallReport, Failure
from loom.runtime.orchestrator.backoff import Backoff
from loom.runtime.orchestrator.capabilities import BrokerTools
from loom.runtime.orchestrator.endpoint import Endpoint
from loom.runtime.orchestrator.failure import Code, ModelError, Outcome, TransientError
from loom.runtime.orchestrator.message import Completion, Function, Message, ToolCall, ToolChoice, Usage
from loom.runtime.orchestrator.model import ModelClient
from loom.runtime.orchestrator.options import Options
from loom.runtime.orchestrator.orchestrator import Orchestrator
from loom.runtime.orchestrator.settings import ModelSettings, from_environ
from loom.runtime.orchestrator.tools import FakeTools, Invocation, Tool, ToolResult, Tools

__all__ = [
    "Answer",
    "Backoff",
    "BrokerTools",
    "CallReport",
    "Code",
    "Completion",
    "Endpoint",
    "Failure",
    "FakeTools",
    "Function",
    "Invocation",
    "Message",
    "ModelClient",
    "ModelError",
    "ModelSettings",
    "Options",
    "Orchestrator",
    "Outcome",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolResult",
    "Tools",
    "TransientError",
    "Usage",
    "from_environ",
]
