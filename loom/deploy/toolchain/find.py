"""Finding the pinned programs: on PATH at exactly the pinned version, else in the cache, else not at all."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from loom.deploy.programs import Program
from loom.deploy.toolchain.cache import Cache, cache_root
from loom.deploy.toolchain.recipe import RECIPES, Recipe
from loom.errors import Problem, ToolchainError

STAMP = "stamp.json"
"""Beside every installed program: what it was made from."""
HINT = "run: loom-deploy toolchain install"

_VERSION = re.compile(r"\bversion v?([0-9][\w.+-]*)")
_BARE_VERSION = re.compile(r"^v?([0-9]+\.[0-9]+\.[0-9]+[\w.+-]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Located:
    """A program that can be used."""

    program: Program
    path: Path
    """The binary; for `grafana-schema` the folder."""
    source: Literal["path", "cache"]
    version: str
    """As the program itself said it."""


def locate(program: Program, environ: Mapping[str, str]) -> Located | None:
    """Where the program is, or None. A program of another version does not count, on PATH or in the cache."""
    recipe = RECIPES.get(program.name)
    if recipe is None or recipe.program != program:
        return None
    return _on_path(recipe, environ) or in_cache(recipe, Cache(cache_root(environ)))


def require(*programs: Program, environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Name → path of each; one ToolchainError names every one that is missing."""
    surroundings = os.environ if environ is None else environ
    found = {program.name: locate(program, surroundings) for program in programs}
    missing = [program for program in programs if found[program.name] is None]
    if missing:
        raise ToolchainError(
            *(Problem(f"{program.name} {program.version} is not installed", hint=HINT) for program in missing)
        )
    return {name: place.path for name, place in found.items() if place}


def in_cache(recipe: Recipe, cache: Cache) -> Located | None:
    """The installed one, if it is whole and was made by this very recipe."""
    home = cache.home(recipe.program)
    path = home / recipe.program.name if recipe.package else home
    try:
        stamp = json.loads((home / STAMP).read_text())
        size = measure(path)
    except (OSError, ValueError):
        return None
    if not isinstance(stamp, dict) or (stamp.get("digest"), stamp.get("size")) != (recipe.digest(), size):
        return None
    return Located(recipe.program, path, "cache", recipe.program.version)


def stamp(recipe: Recipe, path: Path) -> str:
    """The stamp's text for a program at `path` whose version has been read back."""
    fields = {"program": recipe.program.name, "version": recipe.program.version}
    return json.dumps({**fields, "digest": recipe.digest(), "size": measure(path)}, indent=2) + "\n"


def measure(path: Path) -> int:
    """Size in bytes of a program, or of all that an installed folder holds, its stamp apart."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and file.name != STAMP)


def ask(recipe: Recipe, binary: Path) -> str:
    """The version that a program says it is, or that Go wrote into it; empty when there is none."""
    if not recipe.version_arguments:
        return _inscribed(recipe, binary)
    output = _answer(binary, *recipe.version_arguments)
    # Caddy says its version and nothing before it.
    said = _VERSION.search(output) or _BARE_VERSION.search(output)
    return said[1] if said else ""


def _inscribed(recipe: Recipe, binary: Path) -> str:
    """The version of its own module in a Go program's build information; empty when it is another program."""
    try:
        found = re.search(rb"\nmod\t(\S+)\tv(\S+)\t", binary.read_bytes())
    except OSError:
        return ""
    if found is None or not f"{recipe.package}/".startswith(f"{found[1].decode()}/"):
        return ""
    return found[2].decode()


def _on_path(recipe: Recipe, environ: Mapping[str, str]) -> Located | None:
    if not recipe.package:
        return None
    for name in (recipe.program.name, *recipe.aliases):
        found = shutil.which(name, path=environ.get("PATH", ""))
        if found is None:
            continue
        binary = Path(found)
        if ask(recipe, binary) == recipe.program.version and not lacking(recipe, binary):
            return Located(recipe.program, binary, "path", recipe.program.version)
    return None


def lacking(recipe: Recipe, binary: Path) -> set[str]:
    """Components of the recipe's manifest that a collector does not contain; empty for other programs."""
    manifest = recipe.source / "manifest.yaml"
    if not manifest.is_file():
        return set()
    needed = set(re.findall(r"- gomod: (\S+)", manifest.read_text()))
    return needed - set(re.findall(r"\bmodule: (\S+)", _answer(binary, "components")))


def _answer(binary: Path, *arguments: str) -> str:
    """What a program prints on either stream; empty when it cannot be run or does not end."""
    try:
        done = subprocess.run(  # noqa: S603 - a program that the caller is about to use
            [binary, *arguments], capture_output=True, text=True, errors="replace", check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr
