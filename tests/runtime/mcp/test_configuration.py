"""Which servers there are, as files and the environment say it; what is wrong, all at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from loom.errors import ConfigurationError
from loom.runtime.mcp import Limits, ServerConfig, Stdio, StreamableHttp, from_environ
from loom.runtime.mcp.config import NAME_RULE
from loom.runtime.mcp.load import from_file

FILES = ServerConfig(
    "files",
    Stdio("npx", ("-y", "server-files", "/tmp"), {"LEVEL": "debug", "KEY": "s3cret"}, ("TOKEN",), "/srv"),
    Limits(call_timeout=5, result_bytes=4096),
)
WEB = ServerConfig("web", StreamableHttp("https://mcp.example/mcp", {"Authorization": "Bearer s3cret"}))
ENVIRON = {"TOKEN": "s3cret"}

TOML = """
[[servers]]
name = "files"
command = "npx"
args = ["-y", "server-files", "/tmp"]
inherit = ["TOKEN"]
cwd = "/srv"
call_timeout = 5
result_bytes = 4096
[servers.env]
LEVEL = "debug"
KEY = "${TOKEN}"

[[servers]]
name = "web"
url = "https://mcp.example/mcp"
headers = { Authorization = "Bearer ${TOKEN}" }
"""

ENTRIES: list[dict[str, Any]] = [
    {
        "name": "files",
        "command": "npx",
        "args": ["-y", "server-files", "/tmp"],
        "inherit": ["TOKEN"],
        "cwd": "/srv",
        "call_timeout": 5,
        "result_bytes": 4096,
        "env": {"LEVEL": "debug", "KEY": "${TOKEN}"},
    },
    {"name": "web", "url": "https://mcp.example/mcp", "headers": {"Authorization": "Bearer ${TOKEN}"}},
]
NAMED = {entry["name"]: {key: value for key, value in entry.items() if key != "name"} for entry in ENTRIES}


@pytest.mark.parametrize("document", [ENTRIES, NAMED, {"servers": ENTRIES}, {"mcpServers": NAMED}])
def test_a_list_and_a_table_of_names_mean_the_same(document: object) -> None:
    assert from_environ({"LOOM_MCP_SERVERS": json.dumps(document), **ENVIRON}) == (FILES, WEB)


def test_a_file_may_be_toml_or_json(tmp_path: Path) -> None:
    toml, plain = tmp_path / "mcp.toml", tmp_path / "mcp.json"
    toml.write_text(TOML)
    plain.write_text(json.dumps(ENTRIES))
    assert from_file(toml, ENVIRON) == from_file(plain, ENVIRON) == (FILES, WEB)


def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    toml = tmp_path / "mcp.toml"
    toml.write_text(TOML)
    servers = json.dumps({"web": {"url": "http://localhost:1/mcp"}, "more": {"command": "x"}})
    found = from_environ({"LOOM_MCP_CONFIG": str(toml), "LOOM_MCP_SERVERS": servers, **ENVIRON})
    assert [config.name for config in found] == ["files", "web", "more"]
    assert found[1].endpoint == StreamableHttp("http://localhost:1/mcp")


def test_nothing_is_configured_by_default() -> None:
    assert from_environ({}) == ()


def test_no_secret_is_shown_by_a_configuration() -> None:
    assert "s3cret" not in repr((FILES, WEB))
    assert StreamableHttp("https://user:s3cret@host:1/s3cret/mcp?key=s3cret#s3cret").place == "https://host:1"


def test_every_problem_is_told_at_once_with_its_place_and_no_value() -> None:
    wrong = [
        {"name": "a:b", "command": ""},
        {"name": "typo", "command": "x", "arg": ["s3cret"], "call_timeout": 0},
        {"name": "both", "command": "s3cret", "url": "https://host/mcp"},
        {"name": "neither"},
        {"name": "types", "command": 5, "args": "s3cret", "env": {"A": 1}, "result_bytes": 1.5},
        {"name": "scheme", "url": "ftp://s3cret"},
        {"name": "bracket", "url": "http://[::1/s3cret"},
        {"name": "port", "url": "https://s3cret:99999/"},
        {"name": "unset", "command": "x", "env": {"A": "${NOWHERE}"}, "inherit": ["NOBODY"]},
        {"name": "twice", "command": "x"},
        {"name": "twice", "command": "y"},
        "s3cret",
    ]
    with pytest.raises(ConfigurationError) as caught:
        from_environ({"LOOM_MCP_SERVERS": json.dumps(wrong)})
    told = [str(problem) for problem in caught.value.problems]
    assert all(text.startswith("LOOM_MCP_SERVERS  $[") for text in told)
    assert "s3cret" not in "".join(told)
    assert [text.partition("  ")[2] for text in sorted(told)] == sorted(
        [
            "$[0].command: must not be empty",
            f"$[0].name: cannot name a server ({NAME_RULE})",
            "$[1].arg: unknown key 'arg' (did you mean 'args'?)",
            "$[1].call_timeout: must be more than 0.0",
            "$[2].command: command goes with another kind of server (a server has either a command or a url)",
            "$[3].command: neither a command nor a url (stdio servers have a command, others a url)",
            "$[4].args: must be a list",
            "$[4].command: must be text",
            "$[4].env.A: must be text",
            "$[4].result_bytes: must be a whole number",
            "$[5].url: must be an http or https URL",
            "$[6].url: must be an http or https URL",
            "$[7].url: must be an http or https URL",
            "$[8].env.A: the environment variable NOWHERE is not set",
            "$[8].inherit[0]: the environment variable NOBODY is not set",
            "$[10].name: two servers are named 'twice'",
            "$[11]: must be a table that describes a server",
        ]
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("mcp.toml", "servers = [", "is not TOML"),
        ("mcp.json", '{"a": }', ":1:7  is not JSON"),
        ("mcp.yaml", "", "is neither .toml nor .json"),
        ("mcp.json", "5", "must be a list of servers"),
        ("mcp.toml", 'servers = []\nother = "s3cret"', "$.other: unknown key 'other'"),
        ("mcp.json", f'[{{"name": "s3cret", "result_bytes": {"9" * 5000}}}]', "a number is too long"),
        ("mcp.toml", f"s3cret = {'9' * 5000}", "a number is too long"),
        ("mcp.json", "[" * 100_000, "nested too deeply"),
        ("mcp.toml", f"s3cret = {'[' * 50_000}", "nested too deeply"),
        ("mcp.json", '[{"name": "s3cret", "command": "x", "\\ud800": 1}]', "half a surrogate pair"),
        ("mcp.json", '[{"name": "s3cret", "command": "x", "args": ["\\ud800"]}]', "half a surrogate pair"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        from_file(path, {})
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_missing_file_and_a_malformed_variable_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        from_environ({"LOOM_MCP_CONFIG": str(tmp_path / "none.toml"), "LOOM_MCP_SERVERS": "{"})
    missing, malformed = (str(problem) for problem in caught.value.problems)
    assert "cannot be read: No such file or directory" in missing
    assert malformed.startswith("LOOM_MCP_SERVERS:1:2  is not JSON")


def test_a_secret_that_is_no_text_is_refused_with_its_place() -> None:
    servers = json.dumps([{"name": "web", "url": "http://host/${TOKEN}"}])
    with pytest.raises(ConfigurationError, match=r"\$\[0\]\.url: must be text in Unicode"):
        from_environ({"LOOM_MCP_SERVERS": servers, "TOKEN": "\udcff"})


@pytest.mark.parametrize("url", ["", "host/mcp", "ftp://host", "http://", "http://[::1", "http://host:port/"])
def test_a_url_that_is_none_is_refused_in_code_too_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        StreamableHttp(url)
    assert str(caught.value) == "$.url: must be an http or https URL"


def test_an_address_of_ipv6_is_a_host() -> None:
    assert StreamableHttp("http://[::1]:8080/mcp").place == "http://[::1]:8080"


def test_a_name_that_would_break_a_capability_is_refused_in_code_too() -> None:
    with pytest.raises(ConfigurationError, match="beginning with a letter or digit"):
        ServerConfig("a:b", Stdio("x"))
