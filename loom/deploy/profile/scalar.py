"""A value that people write as one word, such as `30d`: how pydantic and editors take it."""

from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema


class Scalar:
    """Read from text once, written back the same way; its classes are frozen dataclasses with a `text`."""

    __slots__ = ()
    text: str
    examples: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read it; ValueError, with a `hint` in its context, when it is not one."""
        raise NotImplementedError

    @classmethod
    def pattern(cls) -> str:
        """A regular expression, for editors too."""
        raise NotImplementedError

    def __str__(self) -> str:
        """As it was written."""
        return self.text

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Accept text, or a value that is parsed already; dump as text."""
        del source, handler

        def validate(value: object) -> Scalar:
            return value if isinstance(value, cls) else cls.parse(value)

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A string with the pattern."""
        del schema, handler
        return {"type": "string", "pattern": cls.pattern(), "examples": list(cls.examples)}
