"""The section about the collector's sending queue."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from loom.deploy.profile.section import Section

_BOTH: JsonDict = {"storage": {"const": "memory"}, "fsync": {"const": True}}


class Queue(Section):
    """The collector's sending queue."""

    model_config = ConfigDict(json_schema_extra={"not": {"properties": _BOTH, "required": [*_BOTH]}})

    size: Annotated[int, Field(ge=1000, le=10_000_000)] = 20_000
    """Spans or metric points it holds while a backend is away; an SDK sends 512 at once."""
    storage: Literal["memory", "disk"] = "memory"
    """`disk` survives a restart of the collector."""
    fsync: bool = False
    """Whether the collector acknowledges only what the disk itself has. Without, a crash of the collector
    loses nothing; a power cut may cost what came in the last seconds, or leave a file on which the collector
    does not start until it is removed. With it, senders wait for the disk, and a span costs half as much
    processor time again."""

    @model_validator(mode="after")
    def _synced_on_disk(self) -> "Queue":
        if self.fsync and self.storage != "disk":
            kind, message = "fsync", "fsync needs the queue on disk"
            raise PydanticCustomError(kind, message, {"hint": "set storage: disk, or leave fsync out"})
        return self
