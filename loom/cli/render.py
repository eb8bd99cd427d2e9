"""`loom-deploy render`: profiles become files, or are compared with the files that are there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import click

from loom.cli.remarks import say_remarks
from loom.cli.usage import ProfileCommand, setting
from loom.deploy import api
from loom.deploy.artifacts.model import Artifact
from loom.deploy.plan.model import Plan
from loom.deploy.writer import Changes, State
from loom.errors import DriftError, Problem

_FORCE = "keep the edit elsewhere, then render with --force to overwrite it"


class Options(TypedDict):
    """What the command line says."""

    profiles: tuple[str, ...]
    every: bool
    overrides: tuple[str, ...]
    output: Path | None
    check: bool
    force: bool


@click.command("render", cls=ProfileCommand)
@click.option("--profile", "profiles", multiple=True, metavar="NAME|PATH", help="A profile; may be repeated.")
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Every profile in ./profiles; those that we ship where there is no such folder.",
)
@setting()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder to write (default ./generated/PROFILE); with several profiles, a folder each below it.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and name the files that would change.")
@click.option("--force", is_flag=True, help="Overwrite files of ours that were edited by hand.")
def command(**options: Unpack[Options]) -> None:
    """Write a profile's files, or check that they are up to date.

    A render is whole or not at all. Your own files in the folder are kept; so are files of ours that you
    edited, and those are reported. A folder is replaced by a new one, so containers that mount the old one
    see the change after they are recreated.
    """
    places = _places(options)
    problems = _checked(places) if options["check"] else _rendered(places, force=options["force"])
    if not options["check"]:
        for folder, plan in places.items():
            say_remarks(plan, str(folder))
    if problems:
        raise DriftError(*problems)


def _places(options: Options) -> dict[Path, Plan]:
    """Folder → plan, all loaded before anything is written."""
    if bool(options["profiles"]) == options["every"]:
        message = "name a profile with --profile, or take --all"
        raise click.UsageError(message)
    if options["check"] and options["force"]:
        message = "--check writes nothing: --force does not go with it"
        raise click.UsageError(message)
    names = api.profile_names() if options["every"] else options["profiles"]
    plans = [api.load_plan(name, options["overrides"]) for name in names]
    output = options["output"]
    if output and len(plans) == 1 and not options["every"]:
        return {output: plans[0]}
    base = output or Path("generated")
    _refuse_one_place(names, plans)
    return {base / plan.profile.name: plan for plan in plans}


def _refuse_one_place(names: Sequence[str], plans: Sequence[Plan]) -> None:
    """Two files whose profiles have one name would be written to one folder, the second over the first."""
    given: dict[str, str] = {}
    for name, plan in zip(names, plans, strict=True):
        other = given.setdefault(plan.profile.name, name)
        if other != name:
            message = f"{other} and {name} are both named {plan.profile.name}: render them one by one"
            raise click.UsageError(message)


def _rendered(places: Mapping[Path, Plan], *, force: bool) -> list[Problem]:
    """All files of all profiles are made before the first is written: one that is refused leaves no half."""
    made = {folder: api.artifacts(plan) for folder, plan in places.items()}
    return [one for folder, plan in places.items() for one in _render(folder, plan, made[folder], force)]


def _render(
    folder: Path,
    plan: Plan,
    made: Sequence[Artifact],
    force: bool,  # noqa: FBT001 - called in one place
) -> list[Problem]:
    changes = api.render(plan, folder, force=force, made=made)
    click.echo(f"{folder}: {_summary(changes)}")
    return [
        Problem(f"{changes.states[path]}; it is kept as it is", file=str(folder / path), hint=_FORCE)
        for path in changes.by_hand
    ]


def _summary(changes: Changes) -> str:
    """`31 files: 2 created, 1 updated; 1 of your own kept`."""
    counted = [
        f"{len(changes.paths(state))} {state.name.lower()}"
        for state in (State.CREATED, State.UPDATED)
        if changes.paths(state)
    ]
    removed = len(changes.paths(State.STALE))
    counted += [f"{removed} removed"] if removed else []
    text = f"{len(changes.texts)} files: {', '.join(counted) or 'up to date'}"
    foreign = len(changes.paths(State.FOREIGN))
    return f"{text}; {foreign} of your own kept" if foreign else text


def _checked(places: Mapping[Path, Plan]) -> list[Problem]:
    return [problem for folder, plan in places.items() for problem in _check(folder, plan)]


def _check(folder: Path, plan: Plan) -> list[Problem]:
    drifts = api.check(plan, folder)
    click.echo(f"{folder}: {f'{len(drifts)} files differ' if drifts else 'up to date'}")
    for drift in drifts:
        if drift.difference:
            click.echo(f"\n{folder / drift.path}\n{drift.difference}")
    return [Problem(_said(drift.state), file=str(folder / drift.path)) for drift in drifts]


def _said(state: State) -> str:
    """What `--check` says of a state: what is, not what a render would do."""
    return {
        State.CREATED: "missing",
        State.UPDATED: "out of date",
        State.STALE: "no longer rendered",
    }.get(state, str(state))
