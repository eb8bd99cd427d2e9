"""Checks a call's payload against its capability's JSON Schema before anybody serves the call."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loom.errors import LoomRuntimeError, Problem
from loom.runtime.call import Call, ErrorCode, Result
from loom.runtime.capability import Capability, Provider, ProviderType

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

ADVICE = "compare the arguments with the schema"
"""What a caller can do about it."""

_OBJECT = "object"


def guard(capability: Capability, provider: Provider) -> Provider:
    """The provider behind a check of each payload; the provider itself when there is no schema.

    LoomRuntimeError when a native capability's schema is none. Others' schemas are other people's: what
    cannot be checked here is left to them, and nothing is compiled before the first call, since most tools
    are never called.
    """
    if capability.schema is None:
        return provider
    arguments = Arguments(capability.schema)
    if capability.provider_type is ProviderType.NATIVE and (flaw := arguments.compile()):
        problem = Problem(f"the schema of {capability.name} is no JSON Schema: {flaw}", path="$.schema")
        raise LoomRuntimeError(problem)

    async def provide(call: Call) -> object:
        if mistake := arguments.find_mistake(call.payload):
            message = f"the arguments do not fit {capability.name}: {mistake} ({ADVICE})"
            return Result.failed(ErrorCode.INVALID_ARGUMENTS, message)
        return await provider(call)

    return provide


class Arguments:
    """What one capability takes."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        """Nothing is compiled yet."""
        self._schema = schema
        self._validator: Validator | None = None
        self._compiled = False

    def compile(self) -> str:
        """Prepare the check; what is wrong with the schema, if anything: then nothing is checked."""
        # 80 ms, and only for those who need it.
        from jsonschema import SchemaError  # noqa: PLC0415 - slow to import
        from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415 - slow to import
        from referencing import Registry  # noqa: PLC0415 - slow to import

        self._compiled = True
        schema = dict(self._schema)
        kind = validator_for(schema, default=Draft202012Validator)
        try:
            kind.check_schema(schema)
        except SchemaError as error:
            return f"{error.json_path}: {error.message}"
        # Without a registry jsonschema would fetch references from wherever a server points to.
        self._validator = kind(schema, registry=Registry())
        return ""

    def find_mistake(self, payload: object) -> str:
        """What is wrong with a payload, and where in it; empty when it fits.

        None counts as an object without keys where the schema takes objects.
        """
        if not self._compiled:
            self.compile()
        if self._validator is None:
            return ""
        if isinstance(payload, Mapping) and not all(isinstance(key, str) for key in payload):
            return "$: names must be text"
        # Imported late, like the validator.
        from jsonschema.exceptions import best_match  # noqa: PLC0415 - slow to import
        from referencing.exceptions import Unresolvable  # noqa: PLC0415 - slow to import

        try:
            error = best_match(self._validator.iter_errors(self._plain(payload)))
        except Unresolvable:
            return ""
        except RecursionError:
            return "nested too deeply"
        return f"{error.json_path}: {error.message}" if error else ""

    def _plain(self, payload: object) -> Any:  # noqa: ANN401 - the validator takes whatever JSON may be
        """Mappings are dicts for the validator."""
        if payload is None and _OBJECT in _types(self._schema):
            return {}
        return dict(payload) if isinstance(payload, Mapping) else payload


def _types(schema: Mapping[str, object]) -> tuple[object, ...]:
    wanted = schema.get("type", _OBJECT)
    return tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,)
