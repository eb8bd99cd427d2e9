"""Everything that a Loom process is told, typed and checked before anything starts.

Which environment variables say what stands in `loom.contract.environment`.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TypeVar

from loom.contract import environment
from loom.contract.environment import Variable
from loom.errors import ConfigurationError, EnvironmentValueError, InputError, Problem
from loom.runtime.agent import AgentOptions
from loom.runtime.broker import BrokerLimits
from loom.runtime.limits import BusLimits
from loom.runtime.logs import LogSettings
from loom.runtime.mcp import Options as McpOptions
from loom.runtime.mcp import ServerConfig, over_sdk
from loom.runtime.mcp import from_environ as read_servers
from loom.runtime.orchestrator import ModelSettings
from loom.runtime.orchestrator import Options as RunOptions
from loom.runtime.orchestrator import from_environ as read_model
from loom.runtime.router import Endpoint, Estimator, FixedEstimator, Landscape, Model, Policy
from loom.telemetry import Settings
from loom.telemetry import from_environ as read_telemetry

T = TypeVar("T")

LOG_LEVEL, LOG_FORMAT, DRAIN = environment.LOG_LEVEL, environment.LOG_FORMAT, environment.DRAIN
POLICY = {
    environment.ROUTING_PRIVACY: "routing.privacy",
    environment.ROUTING_LATENCY_BUDGET: "routing.latency_budget",
    environment.ROUTING_COST_CAP: "routing.cost_cap",
    environment.ROUTING_QUALITY_THRESHOLD: "routing.quality_threshold",
}
"""Variable → the parameter of a policy that it sets."""

LOCAL = Model("local")
"""The model that routes events when nothing else is said: everything can be handled here."""

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_LONGEST = 3600.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """What `Loom` is made from. ConfigurationError names everything that is wrong with it."""

    telemetry: Settings = field(default_factory=Settings)
    logs: LogSettings | None = field(default_factory=LogSettings)
    """None leaves logging to the program."""
    bus: BusLimits = field(default_factory=BusLimits)
    broker: BrokerLimits = field(default_factory=BrokerLimits)
    agents: AgentOptions = field(default_factory=AgentOptions)
    landscape: Landscape = field(default_factory=lambda: Landscape((LOCAL,)))
    estimator: Estimator = field(default_factory=FixedEstimator)
    policy: Policy = field(default_factory=Policy)
    servers: tuple[ServerConfig, ...] = ()
    """MCP servers that are connected at the start; those that cannot be are tried again."""
    mcp: McpOptions = field(default_factory=McpOptions)
    model: ModelSettings | None = None
    """The language model; without one there is no orchestrator."""
    runs: RunOptions = field(default_factory=RunOptions)
    signals: bool = True
    """Whether SIGINT and SIGTERM end the program's block gracefully."""

    def __post_init__(self) -> None:
        """Check what no part can check alone."""
        names = [server.name for server in self.servers]
        problems = [
            Problem(f"two servers are named {name!r}", path="$.servers")
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        if not 0 <= self.agents.drain <= _LONGEST:
            hint = f"seconds from 0 to {_LONGEST:g}"
            problems.append(Problem("a shutdown ends some time", path="$.agents.drain", hint=hint))
        if problems:
            raise ConfigurationError(*problems)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "Configuration":
        """Parse the environment, `os.environ` unless another is given.

        EnvironmentValueError carries every problem of every part at once, MCP's files included.
        """
        source = dict(os.environ if environ is None else environ)
        problems: list[Problem] = []
        telemetry = _collect(problems, read_telemetry, source)
        servers = _collect(problems, read_servers, source)
        model = _collect(problems, read_model, source)
        logs = _collect(problems, _read_logs, source)
        policy = _collect(problems, _read_policy, source)
        drain = _collect(problems, _read_drain, source)
        if problems or telemetry is None or policy is None or drain is None:
            raise EnvironmentValueError(*problems)
        return cls(
            telemetry=telemetry,
            logs=logs,
            agents=AgentOptions(drain=drain),
            landscape=Landscape((LOCAL,), (Endpoint(model.model),) if model else ()),
            policy=policy,
            servers=servers or (),
            mcp=McpOptions(connect=over_sdk(source)),
            model=model,
        )


def _collect(
    problems: list[Problem], read: Callable[[Mapping[str, str]], T], source: Mapping[str, str]
) -> T | None:
    """What a reader returns; its problems are added to the others instead of raised."""
    try:
        return read(source)
    except InputError as error:
        problems += error.problems
        return None


def _read_logs(source: Mapping[str, str]) -> LogSettings:
    level = _text(source, LOG_LEVEL).lower()
    form = _text(source, LOG_FORMAT).lower()
    problems = []
    if level not in _LEVELS:
        problems.append(_problem(LOG_LEVEL, f"must be one of {', '.join(_LEVELS)}"))
    if form not in {"text", "json"}:
        problems.append(_problem(LOG_FORMAT, "must be text or json"))
    if problems:
        raise EnvironmentValueError(*problems)
    return LogSettings(_LEVELS[level], "json" if form == "json" else "text")


def _read_policy(source: Mapping[str, str]) -> Policy:
    given = {parameter: text for variable, parameter in POLICY.items() if (text := _text(source, variable))}
    names = {f"$.parameters.{parameter}": variable.name for variable, parameter in POLICY.items()}
    try:
        return Policy.from_parameters(given)
    except ConfigurationError as error:
        named = (replace(problem, path=names.get(problem.path, problem.path)) for problem in error.problems)
        raise EnvironmentValueError(*named) from None


def _read_drain(source: Mapping[str, str]) -> float:
    try:
        seconds = float(_text(source, DRAIN))
    except ValueError:
        seconds = -1.0
    if not (isfinite(seconds) and 0 <= seconds <= _LONGEST):
        raise EnvironmentValueError(_problem(DRAIN, f"must be seconds from 0 to {_LONGEST:g}"))
    return seconds


def _text(source: Mapping[str, str], variable: Variable) -> str:
    """A value without surrounding blanks; an empty one counts as unset, as OpenTelemetry says."""
    return source.get(variable.name, "").strip() or variable.default


def _problem(variable: Variable, rule: str) -> Problem:
    return Problem(rule, path=variable.name, hint=variable.description)
