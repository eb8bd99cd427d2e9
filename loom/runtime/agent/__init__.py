"""Agents, and the runtime that keeps them running."""

from loom.runtime.agent.action import Action
from loom.runtime.agent.agent import Agent, Crash, Setup, Teardown
from loom.runtime.agent.config import AgentConfig
from loom.runtime.agent.context import AgentContext
from loom.runtime.agent.metrics import Outcome
from loom.runtime.agent.options import AgentOptions, Deferral
from loom.runtime.agent.phase import Phase
from loom.runtime.agent.restart import RestartPolicy
from loom.runtime.agent.runtime import AgentRuntime
from loom.runtime.agent.scripted import ScriptedAgent

__all__ = [
    "Action",
    "Agent",
    "AgentConfig",
    "AgentContext",
    "AgentOptions",
    "AgentRuntime",
    "Crash",
    "Deferral",
    "Outcome",
    "Phase",
    "RestartPolicy",
    "ScriptedAgent",
    "Setup",
    "Teardown",
]
