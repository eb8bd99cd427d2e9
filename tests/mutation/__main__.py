"""`python -m tests.mutation`: how many small mistakes in an alert its generated tests would notice."""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from loom.deploy import profile
from loom.deploy.plan import derive
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutant import Mutant, mutants
from tests.mutation.trial import Outcome, Subject, Trial, subjects

GATE = 0.95
PROFILES = Path(__file__).parents[2] / "profiles"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, print the table and the score; 1 below the gate."""
    asked = _parser().parse_args(arguments)
    plan = derive(profile.load(asked.profile, asked.set, PROFILES))
    everything = [(subject, mutant) for subject in subjects(plan) for mutant in mutants(subject.rule)]
    strange = sorted(set(EQUIVALENT) - {mutant.name for _, mutant in everything})
    chosen = _chosen(everything, asked)
    with tempfile.TemporaryDirectory(prefix="loom-mutation-") as folder:
        outcomes = Trial(Path(folder), asked.jobs).run(_together(chosen))
    good = _report(outcomes, len(everything))
    if strange and asked.profile == "prod" and not asked.set:
        _say(f"\nnamed as equivalent, and there is no such mutant: {', '.join(strange)}")
        return 1
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--profile", default="prod")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override of the profile"
    )
    parser.add_argument("--alert", default="", help="only alerts whose name contains it")
    parser.add_argument(
        "--sample", type=int, default=0, help="only so many mutants, at least one of each alert"
    )
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    parser.add_argument("--jobs", type=int, default=0, help="promtools at once; as many as processors")
    return parser


_Pair = tuple[Subject, Mutant]


def _chosen(everything: list[_Pair], asked: argparse.Namespace) -> list[_Pair]:
    wanted = [pair for pair in everything if asked.alert in pair[1].alert and pair[1].name not in EQUIVALENT]
    if not asked.sample or asked.sample >= len(wanted):
        return wanted
    chance = random.Random(asked.seed)  # noqa: S311 - which mutants are looked at is no secret
    chance.shuffle(wanted)
    first = list({pair[1].alert: pair for pair in wanted}.values())
    rest = [pair for pair in wanted if pair not in first]
    return [*first, *rest[: max(0, asked.sample - len(first))]]


def _together(chosen: Iterable[_Pair]) -> list[tuple[Subject, list[Mutant]]]:
    """The mutants of an alert beside each other."""
    found: dict[str, tuple[Subject, list[Mutant]]] = {}
    for subject, mutant in chosen:
        found.setdefault(mutant.alert, (subject, []))[1].append(mutant)
    return list(found.values())


def _report(outcomes: Sequence[Outcome], existing: int) -> bool:
    survivors = [outcome.mutant for outcome in outcomes if not outcome.killed]
    _table("alert", outcomes, [outcome.mutant.alert for outcome in outcomes])
    _table("change", outcomes, [outcome.mutant.operator for outcome in outcomes])
    for mutant in survivors:
        _say(f"survived  {mutant.name}\n          {mutant.rule['expr']}")
    score = 1 - len(survivors) / len(outcomes) if outcomes else 0.0
    _say(
        f"\n{len(outcomes)} of {existing} mutants tried, {len(outcomes) - len(survivors)} killed:"
        f" score {score * 100:.1f} %, gate {GATE * 100:g} %; {len(EQUIVALENT)} are equivalent by name"
    )
    return score >= GATE


def _table(title: str, outcomes: Sequence[Outcome], keys: Iterable[str]) -> None:
    tried: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    for key, outcome in zip(keys, outcomes, strict=True):
        tried[key] += 1
        killed[key] += outcome.killed
    width = max(map(len, [title, *tried]), default=0)
    _say(f"{title:{width}}  mutants  killed")
    for key in sorted(tried):
        _say(f"{key:{width}}  {tried[key]:7}  {killed[key]:6}")
    _say("")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main())
