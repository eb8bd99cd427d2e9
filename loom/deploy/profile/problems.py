"""pydantic's errors as problems in plain words, each at the line of what is wrong."""

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from loom.deploy.profile import forms
from loom.deploy.profile.spelling import meant, show
from loom.deploy.profile.tree import Node, Path, Place, spell
from loom.errors import Problem

EXTENDS = "extends"
"""The one key of a profile file that is no field of the model."""

Words = tuple[str, str]
"""A message and a hint."""


def explain(error: ValidationError, model: type[BaseModel], node: Node) -> list[Problem]:
    """One problem for each error of validating the node's value against the model."""
    return [_problem(item, model, node) for item in error.errors(include_url=False)]


def _problem(item: Mapping[str, Any], model: type[BaseModel], node: Node) -> Problem:
    path: Path = item["loc"]
    place = _key_place(node, path) if item["type"] == "extra_forbidden" else _value_place(node, path)
    message, hint = _words(item, model, path)
    return Problem(message, place.file, place.line, place.column, spell(path), hint)


def _value_place(node: Node, path: Path) -> Place:
    return list(node.along(path))[-1].place


def _key_place(node: Node, path: Path) -> Place:
    parent = list(node.along(path[:-1]))[-1]
    entry = parent.entries.get(str(path[-1]))
    return entry.place if entry else parent.place


def _words(item: Mapping[str, Any], model: type[BaseModel], path: Path) -> Words:
    kind, value = item["type"], item["input"]
    context: Mapping[str, Any] = item.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key {show(path[-1])}", meant(str(path[-1]), _keys(model, path[:-1]))
    if kind == "missing":
        return "is missing", ""
    if kind in {"literal_error", "enum"}:
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"{show(value)} is none of {', '.join(choices)}", _close(value, choices)
    if value is None:
        return "has no value", "write one, or remove the key"
    say = _SAYINGS.get(kind)
    if say:
        return say(show(value), context)
    # What is left is pydantic's own sentence: a test walks the model and finds none that gets here.
    return str(item["msg"]), str(context.get("hint", ""))


def _close(value: object, choices: list[str]) -> str:
    if value is False and "off" in choices:
        return "did you mean 'off'?"
    hint = meant(value, choices) if isinstance(value, str) else ""
    return hint if hint.startswith("did you mean") else ""


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that may stand in the mapping at a path."""
    top = not path
    for key in path:
        if isinstance(key, int):
            continue
        annotation = model.model_fields[key].annotation
        inside = [annotation, *get_args(annotation)]
        model = next(part for part in inside if isinstance(part, type) and issubclass(part, BaseModel))
    return [*([EXTENDS] if top else []), *model.model_fields]


def _must_be(noun: str, hint: str = "") -> Callable[[str, Mapping[str, Any]], Words]:
    return lambda value, _: (f"must be {noun}, not {value}", hint)


_SAYINGS: Mapping[str, Callable[[str, Mapping[str, Any]], Words]] = {
    "string_type": _must_be("text", "put it in quotes"),
    "string_unicode": lambda value, _: (f"{value} is not valid Unicode", ""),
    "string_pattern_mismatch": lambda value, context: (
        f"{value} has not the right form",
        f"write {forms.WORDS[context['pattern']]}",
    ),
    "string_too_long": lambda value, context: (
        f"{value} is longer than {context['max_length']} characters",
        "shorten it",
    ),
    "int_type": _must_be("a whole number"),
    "float_type": _must_be("a number"),
    "finite_number": _must_be("a finite number"),
    "bool_type": _must_be("true or false"),
    "model_type": _must_be("a mapping of keys"),
    "tuple_type": _must_be("a list"),
    "greater_than": lambda value, context: (f"must be more than {context['gt']:g}, not {value}", ""),
    "greater_than_equal": lambda value, context: (f"must be at least {context['ge']}, not {value}", ""),
    "less_than": lambda value, context: (f"must be less than {context['lt']:g}, not {value}", ""),
    "less_than_equal": lambda value, context: (f"must be at most {context['le']}, not {value}", ""),
    "quantity": lambda value, context: (f"{value} is not a {context['noun']}", context["hint"]),
    "quantity_most": lambda value, context: (
        f"{value} is more than {context['most']}, the most there can be",
        "",
    ),
    "sampler": lambda value, context: (f"{value} is not a sampler", context["hint"]),
}
