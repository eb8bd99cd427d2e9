"""The tools of one run: which, under which aliases, and what a model is told of each."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from loom.runtime.orchestrator.message import Function
from loom.runtime.orchestrator.names import Names
from loom.runtime.orchestrator.tools import Tool

_logger = logging.getLogger("loom.tool_orchestrator")


class Catalogue:
    """The first `limit` tools by name; of two with the same name the first that was listed."""

    def __init__(self, tools: Sequence[Tool], limit: int) -> None:
        """Tools past the limit are left out, and a warning says so."""
        unique = {tool.name: tool for tool in reversed(tools)}
        offered = [unique[name] for name in sorted(unique)][:limit]
        if len(unique) > limit:
            _logger.warning("%d of %d tools are offered to the model: max_tools", limit, len(unique))
        self._names = Names(tool.name for tool in offered)
        self.functions = tuple(
            Function(self._names.alias(tool.name), tool.description, _parameters(tool.schema))
            for tool in offered
        )
        """What the model is told."""

    def __len__(self) -> int:
        """How many tools are offered."""
        return len(self.functions)

    def name(self, alias: str) -> str | None:
        """The tool behind what a model wrote; None when it was not offered."""
        return self._names.name(alias)


def _parameters(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema of an object: APIs refuse anything else."""
    if schema.get("type", "object") != "object":
        return {"type": "object", "properties": {}}
    return {"properties": {}, **schema, "type": "object"}
