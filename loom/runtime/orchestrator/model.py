"""The seam to language models."""

from collections.abc import Sequence
from typing import Protocol

from loom.runtime.orchestrator.message import Completion, Function, Message, ToolChoice


class ModelClient(Protocol):
    """Anything that completes a conversation: `Endpoint` over HTTP, `ScriptedModel` in memory."""

    @property
    def model(self) -> str:
        """The model that is asked for: `gen_ai.request.model`."""

    @property
    def provider(self) -> str:
        """Who serves it: `gen_ai.provider.name`."""

    async def complete(
        self, messages: Sequence[Message], tools: Sequence[Function], choice: ToolChoice, within: float
    ) -> Completion:
        """One answer within `within` seconds, retries included.

        ModelError when there is none. Without tools the model is not told of any, whatever the choice.
        """
