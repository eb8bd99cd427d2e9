"""Every error of the project, one tree.

    LoomError                     exit 5   anything of ours; never raised bare
    ├── InputError                exit 3   what the user wrote is wrong (several problems at once)
    │   ├── ProfileError                   a profile: syntax, types, unknown keys, extends
    │   ├── PlanError                      a profile that is well formed and cannot work
    │   ├── ConfigurationError             the runtime's configuration: agent parameters, MCP servers
    │   └── EnvironmentValueError          a malformed environment variable (OTEL_…, DEPLOYMENT_ENV)
    ├── FindingError              exit 1   a check ran and found something
    │   ├── DriftError                     rendered files differ from what would be rendered
    │   ├── RefusedError                   a real program refused an artifact
    │   └── MissingTelemetryError          verify did not find what the contract promises
    ├── MachineError              exit 4   this machine cannot do it now
    │   ├── ToolchainError                 a program is missing or could not be built
    │   ├── WriteError                     disk full, no permission
    │   └── EngineError                    a program does not become ready, an image is missing
    │       ├── UnknownServiceError        a deployment has no such service; wrong usage on the command line
    │       └── PortConflictError exit 6   a port is taken: by whom, and which offset avoids it
    └── LoomRuntimeError          exit 5   the runtime: bus closed, capability unknown, …

Exit 2 is click's, for wrong usage of the command line; 130 is an interrupt.
Errors are data: they carry `Problem`s, and only `loom.cli` turns them into text on a terminal.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to do about it."""

    message: str
    """What is wrong, in one sentence without a full stop."""
    file: str = ""
    """The file, as the user named it; empty when there is none."""
    line: int = 0
    """1-based; 0 when unknown."""
    column: int = 0
    """1-based; 0 when unknown."""
    path: str = ""
    """Path inside the document, such as `$.tracing.sampler`; empty when there is none."""
    hint: str = ""
    """What to do, such as `did you mean 'tracing'?`; empty when nothing useful is known."""

    def __str__(self) -> str:
        """`file:line:column  $.path: message (hint)`, without the parts that are not known."""
        place = self.file
        if self.line:
            place += f":{self.line}:{self.column}" if self.column else f":{self.line}"
        text = f"{self.path}: {self.message}" if self.path else self.message
        text = f"{place}  {text}" if place else text
        return f"{text} ({self.hint})" if self.hint else text


class LoomError(Exception):
    """Root of the tree: one or more problems, and the exit code of its class."""

    exit_code = 5

    def __init__(self, *problems: Problem | str) -> None:
        """Take the problems; plain text is a problem without a place."""
        self.problems: Sequence[Problem] = tuple(
            Problem(problem) if isinstance(problem, str) else problem for problem in problems
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InputError(LoomError):
    """What the user wrote is wrong."""

    exit_code = 3


class ProfileError(InputError):
    """A profile cannot be read: syntax, types, unknown keys, `extends`."""


class PlanError(InputError):
    """A well-formed profile that cannot work."""


class ConfigurationError(InputError):
    """A malformed configuration of the runtime: agent parameters, MCP servers."""


class EnvironmentValueError(InputError):
    """A malformed environment variable."""


class FindingError(LoomError):
    """A check ran and found something."""

    exit_code = 1


class DriftError(FindingError):
    """Rendered files differ from what would be rendered now."""


class RefusedError(FindingError):
    """A real program refused an artifact."""


class MissingTelemetryError(FindingError):
    """`verify` did not find what the contract promises."""


class MachineError(LoomError):
    """This machine cannot do it now."""

    exit_code = 4


class ToolchainError(MachineError):
    """A program is missing or could not be built."""


class WriteError(MachineError):
    """The disk is full, or a path may not be written."""


class EngineError(MachineError):
    """A program does not become ready, an image is missing, no engine can work here."""


class UnknownServiceError(EngineError):
    """A service that a deployment does not have."""


class PortConflictError(EngineError):
    """A port that a deployment needs is taken by somebody else; nothing was started."""

    exit_code = 6


class LoomRuntimeError(LoomError):
    """A misuse of the runtime: a closed bus, an unknown capability."""
