"""Where the toolchain keeps its things: one folder of the user, laid out here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loom.deploy.programs import Program
from loom.errors import Problem, ToolchainError


def cache_root(environ: Mapping[str, str]) -> Path:
    """`$XDG_CACHE_HOME/loom-deploy`, or `~/.cache/loom-deploy`; a relative XDG_CACHE_HOME counts as unset.

    That last rule is the XDG base directory specification's. ToolchainError when nobody has a home.
    """
    chosen = Path(environ.get("XDG_CACHE_HOME", ""))
    if chosen.is_absolute():
        return chosen / "loom-deploy"
    try:
        return Path(environ.get("HOME") or Path.home()) / ".cache" / "loom-deploy"
    except RuntimeError as error:  # a container's user without an entry in /etc/passwd
        raise ToolchainError(
            Problem("this user has no home directory", hint="set HOME or XDG_CACHE_HOME")
        ) from error


@dataclass(frozen=True, slots=True)
class Cache:
    """The layout below one cache root. Nothing is created by asking."""

    root: Path

    def home(self, program: Program) -> Path:
        """The folder of one installed version: `bin/prometheus-3.16.0`."""
        return self.root / "bin" / f"{program.name}-{program.version}"

    def log(self, program: Program) -> Path:
        """The whole output of the program's last build."""
        return self.root / "log" / f"{program.name}.log"

    @property
    def work(self) -> Path:
        """Builds in progress; emptied by whoever holds the lock."""
        return self.root / "work"

    @property
    def lock(self) -> Path:
        """The file that one installation at a time holds; it contains the holder's process id."""
        return self.root / "install.lock"

    @property
    def go(self) -> Path:
        """Go's own caches: modules, compiled packages. A killed build goes on from these."""
        return self.root / "go"

    @property
    def npm(self) -> Path:
        """The cache of npm itself."""
        return self.root / "npm"
