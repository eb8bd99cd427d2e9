"""Installing: one program after the other, under the lock, each whole or not at all."""

import shutil
import time
from collections.abc import Mapping, Sequence

from loom.deploy.programs import Program
from loom.deploy.toolchain import lock
from loom.deploy.toolchain.cache import Cache, cache_root
from loom.deploy.toolchain.find import Located, locate
from loom.deploy.toolchain.installation import Installation, Site
from loom.deploy.toolchain.progress import Phase, Progress, Report
from loom.deploy.toolchain.recipe import RECIPES, Recipe
from loom.errors import Problem, ToolchainError


def install(
    programs: Sequence[Program], *, report: Report, jobs: int | None = None, site: Site | None = None
) -> list[Located]:
    """Make every program available and say where each is, in the order given.

    What is there already, on PATH or in the cache, is left alone. Programs are built one after the other,
    each with `jobs` compilations at a time (default: one per processor). One that fails does not keep the
    others from being built; ToolchainError then has a problem for each that failed. An interrupted or killed
    installation leaves either the whole program or nothing, and the next one goes on from Go's caches.
    """
    place = site or Site()
    recipes = [_recipe(program) for program in programs]
    if any(locate(program, place.environ) is None for program in programs):
        _install_missing(recipes, place, report, jobs)
    found = [locate(program, place.environ) for program in programs]
    return [located for located in found if located]


def clean(environ: Mapping[str, str]) -> None:
    """Remove the downloads and compiled packages of past builds, some 11 GB; the installed programs stay."""
    cache = Cache(cache_root(environ))
    with lock.hold(cache.lock, lambda _pid: None):
        for folder in (cache.go, cache.npm, cache.work):
            shutil.rmtree(folder, ignore_errors=True)


def _recipe(program: Program) -> Recipe:
    recipe = RECIPES.get(program.name)
    if recipe is None or recipe.program != program:
        known = f"known: {', '.join(RECIPES)}"
        raise ToolchainError(Problem(f"there is no recipe for {program.name} {program.version}", hint=known))
    return recipe


def _install_missing(recipes: Sequence[Recipe], site: Site, report: Report, jobs: int | None) -> None:
    begun = time.monotonic()

    def wait(pid: int) -> None:
        detail = f"another installation is running (pid {pid})"
        report(Progress(recipes[0].program.name, Phase.WAITING, time.monotonic() - begun, 0, detail))

    problems: list[Problem] = []
    with lock.hold(site.cache.lock, wait):
        shutil.rmtree(site.cache.work, ignore_errors=True)  # what a killed installation left
        for recipe in recipes:
            if locate(recipe.program, site.environ) is None:
                problems += Installation(recipe, site, report, jobs).attempt()
    if problems:
        raise ToolchainError(*problems)
