"""Which MCP servers there are, as files and the environment say it."""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loom.contract.environment import MCP_CONFIG, MCP_SERVERS
from loom.errors import ConfigurationError, Problem
from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.references import expand

WRAPPERS = ("servers", "mcpServers")
"""Keys that may stand around the servers; the second is what other programs' files have."""

_BEYOND_REASON = "a number is too long, or something nested too deeply"

Entry = tuple[str, Any]
"""A path such as `$.servers[0]`, and what stands there."""


def from_environ(environ: Mapping[str, str] | None = None) -> tuple[ServerConfig, ...]:
    """The servers of `LOOM_MCP_CONFIG` and `LOOM_MCP_SERVERS`; a name in both means the latter.

    ConfigurationError carries every problem of both at once.
    """
    chosen = os.environ if environ is None else environ
    found: dict[str, ServerConfig] = {}
    problems: list[Problem] = []
    for origin, document in _documents(chosen, problems):
        servers, wrong = _servers(document, chosen)
        problems += [replace(problem, file=origin) for problem in wrong]
        found |= servers
    if problems:
        raise ConfigurationError(*problems)
    return tuple(found.values())


def from_file(path: Path | str, environ: Mapping[str, str] | None = None) -> tuple[ServerConfig, ...]:
    """The servers of one file, TOML or JSON by its name."""
    chosen = os.environ if environ is None else environ
    kept = {name: value for name, value in chosen.items() if name != MCP_SERVERS.name}
    return from_environ({**kept, MCP_CONFIG.name: str(path)})


def _documents(environ: Mapping[str, str], problems: list[Problem]) -> Iterator[tuple[str, object]]:
    if path := environ.get(MCP_CONFIG.name, "").strip():
        try:
            yield path, _parse(path, Path(path).read_text(encoding="utf-8"))
        except _Malformed as malformed:
            problems.append(malformed.problem)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            problems.append(Problem(f"cannot be read: {reason}", file=path, hint=f"see {MCP_CONFIG.name}"))
    if text := environ.get(MCP_SERVERS.name, "").strip():
        try:
            yield MCP_SERVERS.name, _parse(f"{MCP_SERVERS.name}.json", text)
        except _Malformed as malformed:
            problems.append(replace(malformed.problem, file=MCP_SERVERS.name))


class _Malformed(Exception):  # noqa: N818 - carries a problem to this file's own loop, nobody else sees it
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _parse(path: str, text: str) -> object:
    suffix = Path(path).suffix
    if suffix == ".json":
        try:
            document = json.loads(text)
            json.dumps(document, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            problem = Problem(f"is not JSON: {error.msg}", path, error.lineno, error.colno)
            raise _Malformed(problem) from None
        except UnicodeEncodeError:
            raise _Malformed(Problem("holds half a surrogate pair, which is no character", path)) from None
        except (ValueError, RecursionError):
            raise _Malformed(Problem(f"is not JSON: {_BEYOND_REASON}", path)) from None
        return document
    if suffix == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            # tomllib says the place in its text, and never repeats the document.
            raise _Malformed(Problem(f"is not TOML: {error}", path)) from None
        except (ValueError, RecursionError):
            raise _Malformed(Problem(f"is not TOML: {_BEYOND_REASON}", path)) from None
    raise _Malformed(Problem("is neither .toml nor .json", path, hint="rename the file"))


def _servers(document: object, environ: Mapping[str, str]) -> tuple[dict[str, ServerConfig], list[Problem]]:
    # pydantic is not cheap, and most processes have no MCP servers.
    from loom.runtime.mcp.document import parse  # noqa: PLC0415 - slow to import

    found: dict[str, ServerConfig] = {}
    problems: list[Problem] = []
    for path, entry in _entries(document, problems):
        expanded, unset = expand(entry, environ, path)
        problems += unset
        parsed = parse(expanded, path)
        if isinstance(parsed, list):
            problems += parsed
        elif parsed.name in found:
            problems.append(Problem(f"two servers are named {parsed.name!r}", path=f"{path}.name"))
        else:
            found[parsed.name] = parsed
    return found, problems


def _entries(document: object, problems: list[Problem]) -> Iterator[Entry]:
    """Every server with its path; a mapping's keys become names."""
    root = "$"
    if isinstance(document, Mapping):
        wrapper = next((key for key in WRAPPERS if key in document), "")
        if wrapper:
            problems += [
                Problem(f"unknown key {key!r}", path=f"$.{key}") for key in document if key != wrapper
            ]
            root, document = f"$.{wrapper}", document[wrapper]
    if isinstance(document, Mapping):
        pairs = [(f"{root}.{name}", _named(name, entry)) for name, entry in document.items()]
    elif isinstance(document, list):
        pairs = [(f"{root}[{number}]", entry) for number, entry in enumerate(document)]
    else:
        problems.append(Problem("must be a list of servers, or a table of names", path=root))
        return
    for path, entry in pairs:
        if isinstance(entry, Mapping):
            yield path, entry
        else:
            problems.append(Problem("must be a table that describes a server", path=path))


def _named(name: str, entry: object) -> object:
    return {"name": name, **entry} if isinstance(entry, Mapping) else entry
