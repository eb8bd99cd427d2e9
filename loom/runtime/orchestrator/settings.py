"""Which model the environment names, by the `LOOM_MODEL…` variables of `loom.contract.environment`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loom.contract.environment import (
    MODEL,
    MODEL_API_KEY,
    MODEL_BASE_URL,
    MODEL_PROVIDER,
    Variable,
)
from loom.errors import EnvironmentValueError, Problem

VARIABLES = (MODEL, MODEL_BASE_URL, MODEL_API_KEY, MODEL_PROVIDER)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """An endpoint and a model. The key is in no `repr`."""

    model: str
    base_url: str = MODEL_BASE_URL.default
    api_key: str = field(default="", repr=False)
    provider: str = MODEL_PROVIDER.default


def from_environ(environ: Mapping[str, str] | None = None) -> ModelSettings | None:
    """Parse the environment, `os.environ` unless another is given; None when it names no model at all.

    EnvironmentValueError carries one problem for each malformed variable, never the key or any part of it.
    """
    source = os.environ if environ is None else environ
    # An empty value counts as unset, as everywhere in OpenTelemetry.
    given = {variable.name: source.get(variable.name, "").strip() for variable in VARIABLES}
    if not any(given.values()):
        return None
    problems = [*_check_model(given[MODEL.name]), *_check_url(given[MODEL_BASE_URL.name])]
    problems += _check_key(given[MODEL_API_KEY.name])
    if problems:
        raise EnvironmentValueError(*problems)
    return ModelSettings(
        model=given[MODEL.name],
        base_url=given[MODEL_BASE_URL.name] or MODEL_BASE_URL.default,
        api_key=given[MODEL_API_KEY.name],
        provider=given[MODEL_PROVIDER.name] or MODEL_PROVIDER.default,
    )


def _check_model(model: str) -> list[Problem]:
    if model and model.isprintable():
        return []
    rule = "is not printable" if model else "is not set, but others of the model's are"
    return [_problem(MODEL, rule, "name the model, as its endpoint calls it")]


def _check_url(url: str) -> list[Problem]:
    if not url:
        return []
    hint = f"write it like {MODEL_BASE_URL.default}"
    try:
        parts = urlsplit(url)
        # The value is not repeated: somebody may have put a password into it.
        if parts.username is not None or parts.password is not None:
            rule = "must not carry credentials"
            return [_problem(MODEL_BASE_URL, rule, f"put the key into {MODEL_API_KEY.name}")]
        reachable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number or too large, a broken IPv6 address
        reachable = False
    if not reachable or not url.isprintable() or " " in url:
        return [_problem(MODEL_BASE_URL, "must be a URL with http or https", hint)]
    if parts.query or parts.fragment:
        return [_problem(MODEL_BASE_URL, "must have neither ? nor #", hint)]
    return []


def _check_key(key: str) -> list[Problem]:
    if all("!" <= character <= "~" for character in key):
        return []
    return [
        _problem(MODEL_API_KEY, "must be printable ASCII without blanks", "was it copied with a line break?")
    ]


def _problem(variable: Variable, rule: str, hint: str) -> Problem:
    return Problem(f"{variable.name} {rule}", path=variable.name, hint=hint)
