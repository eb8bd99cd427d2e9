"""The shape of a configuration document, for pydantic. It is imported late: pydantic is not cheap."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from loom.errors import Problem
from loom.runtime.mcp.config import (
    NAME,
    NAME_RULE,
    URL_RULE,
    Limits,
    ServerConfig,
    Stdio,
    StreamableHttp,
    is_url,
)

DEFAULTS = Limits()
LONGEST = 86_400

Seconds = Annotated[float, Field(gt=0, le=LONGEST, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]

_WORDS = {
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "string_type": "must be text",
    "string_unicode": "must be text in Unicode",
    "list_type": "must be a list",
    "dict_type": "must be a table of names and texts",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a finite number",
    "model_type": "must be a table",
}
"""pydantic's kinds of errors in plain words. Values are never repeated: they may be secrets."""


class _Server(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
    connect_timeout: Seconds = DEFAULTS.connect_timeout
    call_timeout: Seconds = DEFAULTS.call_timeout
    health_interval: Seconds = DEFAULTS.health_interval
    health_timeout: Seconds = DEFAULTS.health_timeout
    stop_timeout: Seconds = DEFAULTS.stop_timeout
    result_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = DEFAULTS.result_bytes

    @property
    def limits(self) -> Limits:
        return Limits(
            self.connect_timeout,
            self.call_timeout,
            self.health_interval,
            self.health_timeout,
            self.stop_timeout,
            self.result_bytes,
        )


class StdioServer(_Server):
    """A server that is started: `command`, and what goes with it."""

    command: Text
    args: list[str] = []
    env: dict[str, str] = {}
    inherit: list[Text] = []
    cwd: str = ""

    def build(self) -> ServerConfig:
        """What the manager takes."""
        endpoint = Stdio(self.command, tuple(self.args), self.env, tuple(self.inherit), self.cwd)
        return ServerConfig(self.name, endpoint, self.limits)


def _reachable(url: str) -> str:
    if not is_url(url):
        raise ValueError  # its text would be the value's
    return url


class HttpServer(_Server):
    """A server that runs already: `url`, and what is sent along."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+"), AfterValidator(_reachable)]
    headers: dict[str, str] = {}

    def build(self) -> ServerConfig:
        """What the manager takes."""
        return ServerConfig(self.name, StreamableHttp(self.url, self.headers), self.limits)


def parse(entry: Mapping[str, Any], path: str) -> ServerConfig | list[Problem]:
    """The server that an entry describes, or everything that is wrong with it."""
    model = HttpServer if "url" in entry else StdioServer
    try:
        return model.model_validate(dict(entry)).build()
    except ValidationError as error:
        return list(_explain(error, model, path))


def _explain(error: ValidationError, model: type[_Server], path: str) -> Iterator[Problem]:
    for item in error.errors(include_url=False, include_input=False):
        place = path + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in item["loc"])
        key = str(item["loc"][-1]) if item["loc"] else ""
        message, hint = _words(item["type"], item.get("ctx", {}), key, model)
        yield Problem(message, path=place, hint=hint)


def _words(kind: str, context: Mapping[str, Any], key: str, model: type[_Server]) -> tuple[str, str]:
    if kind == "extra_forbidden":
        other = StdioServer if model is HttpServer else HttpServer
        if key in other.model_fields:
            return f"{key} goes with another kind of server", "a server has either a command or a url"
        close = get_close_matches(key, model.model_fields, 1)
        return f"unknown key {key!r}", f"did you mean {close[0]!r}?" if close else ""
    if kind == "missing" and key == "command":
        return "neither a command nor a url", "stdio servers have a command, others a url"
    if kind in {"string_pattern_mismatch", "value_error"}:
        return ("cannot name a server", NAME_RULE) if key == "name" else (URL_RULE, "")
    if kind in {"greater_than", "greater_than_equal", "less_than_equal"}:
        limit = next(iter(context.values()))
        words = {"greater_than": "more than", "greater_than_equal": "at least", "less_than_equal": "at most"}
        return f"must be {words[kind]} {limit}", ""
    return _WORDS.get(kind, "is malformed"), ""
