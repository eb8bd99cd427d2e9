"""Every variable is spelt once, read by Loom, and refused by its name when it is malformed."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loom.contract import environment as e
from loom.errors import EnvironmentValueError
from loom.runtime.configuration import Configuration

LOOM = Path(__file__).parents[2] / "loom"
HOMES = {LOOM / "contract" / "environment.py", LOOM / "contract" / "canary.py"}
# The deployment names variables of supervisord's there, which no Loom process reads.
SOURCES = sorted(
    path for path in LOOM.rglob("*.py") if path not in HOMES and not path.is_relative_to(LOOM / "deploy")
)

MALFORMED = {
    e.PROTOCOL: "http/json",
    e.TOKEN_FILE: "/nowhere/token",
    e.SAMPLER: "sometimes",
    e.STANDARD_SAMPLER: "jaeger_remote",
    e.RESOURCE_ATTRIBUTES: "team",
    e.SPAN_QUEUE: "many",
    e.SPAN_BATCH: "0",
    e.SPAN_DELAY: "1s",
    e.EXPORT_INTERVAL: "-1",
    e.EXPORT_TIMEOUT: "1.5",
    e.DISABLED: "1",
    e.CAPTURE_CONTENT: "yes",
    e.LOG_LEVEL: "loud",
    e.LOG_FORMAT: "xml",
    e.DRAIN: "soon",
    e.ROUTING_PRIVACY: "secret",
    e.ROUTING_LATENCY_BUDGET: "fast",
    e.ROUTING_COST_CAP: "cheap",
    e.ROUTING_QUALITY_THRESHOLD: "2",
    e.MCP_SERVERS: "[{}]",
    e.MCP_CONFIG: "/nowhere/servers.toml",
    e.MODEL_BASE_URL: "nowhere",
    e.MODEL_API_KEY: "two words",
    **{
        variable: value
        for group in (e.OTLP, e.TRACES, e.METRICS)
        for variable, value in {
            group.endpoint: "collector",
            group.headers: "authorization",
            group.timeout: "10000",
            group.compression: "zstd",
            group.certificate: "/nowhere/ca.pem",
            group.client_certificate: "/nowhere/own.pem",
            group.client_key: "/nowhere/own.key",
            group.insecure: "perhaps",
        }.items()
    },
}
FREE = {e.SERVICE_NAME, e.ENVIRONMENT, e.STANDARD_SAMPLER_ARG, e.MODEL, e.MODEL_PROVIDER}
"""Any text will do; the sampler's argument and the model only mean something beside others."""


def literals(path: Path) -> Iterator[str]:
    """Texts of a file that are no docstrings."""
    tree = ast.parse(path.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_no_variable_is_spelt_outside_the_contract() -> None:
    names = re.compile(rf"\b(OTEL_|LOOM_[A-Z]|{e.ENVIRONMENT.name})")
    spelt = [
        f"{path.relative_to(LOOM)}: {text}"
        for path in SOURCES
        for text in literals(path)
        if names.search(text)
    ]
    assert spelt == []
    assert len(SOURCES) > 100


def test_nobody_takes_the_names_from_elsewhere() -> None:
    taken = [str(path) for path in SOURCES if "sdk.environment_variables" in path.read_text()]
    taken += [str(path) for path in SOURCES if "sdk import environment_variables" in path.read_text()]
    assert taken == []


def test_every_variable_is_listed_once_and_says_what_it_means() -> None:
    defined = [value for value in vars(e).values() if isinstance(value, e.Variable)]
    names = [variable.name for variable in e.ALL]
    assert len(set(names)) == len(names)
    assert set(defined) <= set(e.ALL)
    assert [variable for variable in e.ALL if not variable.description.endswith(".")] == []


def test_every_variable_is_either_free_text_or_can_be_malformed() -> None:
    assert set(MALFORMED) | FREE == set(e.ALL)


@pytest.mark.parametrize("variable", MALFORMED, ids=lambda variable: variable.name)
def test_a_malformed_value_is_refused_by_name_and_no_secret_is_repeated(variable: e.Variable) -> None:
    with pytest.raises(EnvironmentValueError) as refused:
        Configuration.from_environ({variable.name: MALFORMED[variable]})
    assert variable.name in str(refused.value)
    if variable.secret and variable is not e.MCP_SERVERS:  # whose problems are about its keys
        assert MALFORMED[variable] not in str(refused.value)


@pytest.mark.parametrize("text", ["authorization=a%0Ahunter2", "key hunter2", "=hunter2", "a b=hunter2"])
def test_a_malformed_header_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(EnvironmentValueError) as refused:
        Configuration.from_environ({e.HEADERS.name: f"fine=1,{text}"})
    assert e.HEADERS.name in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_problem_of_a_general_variable_is_told_once() -> None:
    with pytest.raises(EnvironmentValueError) as refused:
        Configuration.from_environ({e.TIMEOUT.name: "soon", e.HEADERS.name: "x"})
    assert len(refused.value.problems) == 2


def test_every_default_is_what_an_empty_environment_means() -> None:
    # Of a group that belongs together nothing is given, and of nothing a secret.
    alone = {e.MODEL_BASE_URL, e.MODEL_PROVIDER}
    defaults = {one.name: one.default for one in e.ALL if one.default and one not in alone}
    found, empty = Configuration.from_environ(defaults), Configuration.from_environ({})
    assert found.telemetry == empty.telemetry
    assert (found.logs, found.agents, found.policy) == (empty.logs, empty.agents, empty.policy)
    named = Configuration.from_environ({e.MODEL.name: "small"}).model
    assert named is not None
    assert (named.base_url, named.provider) == (e.MODEL_BASE_URL.default, e.MODEL_PROVIDER.default)


def test_free_text_arrives() -> None:
    given = {
        e.SERVICE_NAME.name: "planner",
        e.ENVIRONMENT.name: "staging",
        e.STANDARD_SAMPLER.name: "traceidratio",
        e.STANDARD_SAMPLER_ARG.name: "0.5",
        e.MODEL.name: "small",
        e.MODEL_PROVIDER.name: "mine",
        e.MCP_SERVERS.name: json.dumps({"files": {"command": "true"}}),
    }
    found = Configuration.from_environ(given)
    assert (found.telemetry.service_name, found.telemetry.deployment) == ("planner", "staging")
    assert found.telemetry.sampling.ratio == 0.5
    assert found.model is not None
    assert (found.model.model, found.model.provider) == ("small", "mine")
    assert [server.name for server in found.servers] == ["files"]
