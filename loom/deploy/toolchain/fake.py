"""The fake that ships with the `Runner` seam: a Go that compiles nothing and leaves scripts as programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loom.deploy.toolchain.process import Command, Tell
from loom.deploy.toolchain.progress import Progress


@dataclass(slots=True)
class FakeGo:
    """Answers `go list`, `go mod download` and `go build`; every command it was given is in `commands`."""

    versions: Mapping[str, str]
    """Program name → the version that its fake says it is."""
    packages: tuple[str, ...] = ("example.org/a", "example.org/b")
    """What it pretends to compile."""
    failure: str = ""
    """When set, `go build` says this and fails."""
    upstream: Path | None = None
    """The folder it says a module was downloaded to."""
    compiling: Callable[[Path], None] = lambda _target: None
    """Called in the middle of a build, when half of the target is written: to wait, or to break off."""
    commands: list[Command] = field(default_factory=list)

    def run(self, command: Command, tell: Tell) -> int:
        """See `Runner.run`."""
        self.commands.append(command)
        verb = command.arguments[1]
        if verb == "list" and "-m" in command.arguments:
            tell(str(self.upstream))
        elif verb == "list":
            tell("go: downloading example.org/a v1.0.0")
            for package in self.packages:
                tell(f"outdated {package}")
        elif verb == "build":
            return self._build(command, tell)
        return 0

    def _build(self, command: Command, tell: Tell) -> int:
        target = Path(command.arguments[command.arguments.index("-o") + 1])
        for package in self.packages:
            tell(package)
        target.write_text("#!/bin/sh\n")
        self.compiling(target)
        if self.failure:
            for line in self.failure.splitlines():
                tell(line)
            return 1
        target.write_text(f'#!/bin/sh\necho "{target.name} version {self.versions[target.name]}"\n')
        target.chmod(0o755)
        return 0


class Heard(list[Progress]):
    """A `Report` that keeps every report, in order."""

    def __call__(self, progress: Progress) -> None:
        """Keep it."""
        self.append(progress)

    @property
    def phases(self) -> list[str]:
        """In order, without repetitions."""
        return list(dict.fromkeys(str(progress.phase) for progress in self))
