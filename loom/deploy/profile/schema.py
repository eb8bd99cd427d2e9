"""The JSON Schema of profile files, for editors: the model's own, with `extends`."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from loom.deploy.profile.described import descriptions, sections
from loom.deploy.profile.model import Profile
from loom.deploy.profile.problems import EXTENDS
from loom.deploy.profile.quantity import Quantity
from loom.deploy.profile.sampler import Sampler
from loom.deploy.profile.section import Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """pydantic's, with defaults written as people write them."""

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 - pydantic's own signature
        """A quantity or sampler as its text."""
        return str(dft) if isinstance(dft, (Quantity, Sampler)) else super().encode_default(dft)


def schema() -> JsonSchemaValue:
    """The schema: Draft 2020-12.

    It accepts every file that `load` accepts on its own. What only the chain of `extends`, the file's name or
    the plan can know is not in it.
    """
    generated = Profile.model_json_schema(schema_generator=_Generator)
    for section in sections():
        _describe(section, generated if section is Profile else generated["$defs"].get(section.__name__, {}))
    properties = {EXTENDS: _extends(), **generated.pop("properties")}
    head = {"$schema": DIALECT, "title": "Loom observability profile"}
    body = {key: value for key, value in generated.items() if key not in {"$defs", "title"}}
    return {**head, **body, "properties": properties, "$defs": generated["$defs"]}


def _describe(section: type[Section], definition: JsonSchemaValue) -> None:
    """Each key's description, in the order that pydantic gives to what it says of a key."""
    for key, text in descriptions(section).items():
        if said := definition.get("properties", {}).get(key):
            definition["properties"][key] = dict(sorted({**said, "description": text}.items()))


def schema_text() -> str:
    """The schema as the text of its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _extends() -> dict[str, str]:
    return {
        "title": "Extends",
        "description": "Profile that this one is laid on: a name, or a path below this file's folder.",
        "type": "string",
        # No absolute path, no backslash, no `..` between slashes.
        "pattern": r"^(?!/)(?!(.*/)?\.\.(/|$))[^\\]+$",
    }
