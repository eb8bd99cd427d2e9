"""Two plans as the differences that matter to whoever runs them. Pure data."""

from collections.abc import Iterator

from loom.deploy.drift.profiles.catalogue import FACTS
from loom.deploy.drift.profiles.derived import derived
from loom.deploy.drift.profiles.edges import edges
from loom.deploy.drift.profiles.fact import Fact, Safer
from loom.deploy.drift.profiles.grouping import group
from loom.deploy.drift.profiles.leaf import Leaf, leaves
from loom.deploy.drift.profiles.line import NOTHING, Effect, Line, order
from loom.deploy.plan.model import Plan


def compare(a: Plan, b: Plan) -> tuple[Line, ...]:
    """Every difference, what weakens security first; none for plans that come to the same.

    Each value of a profile is compared by what it amounts to, whether or not anything is known about it:
    `60s` and `1m` are the same. What follows from several values comes from the plan.
    """
    return tuple(sorted((*_values(a, b), *edges(a, b), *derived(a, b)), key=order))


def _values(a: Plan, b: Plan) -> Iterator[Line]:
    ours, theirs = (
        _folded(leaves(a.profile), leaves(b.profile)),
        _folded(leaves(b.profile), leaves(a.profile)),
    )
    for path in dict.fromkeys((*ours, *theirs)):
        before, after = ours.get(path), theirs.get(path)
        if before is None or after is None or before.key != after.key:
            yield _line(path, before, after, (a, b))


def _folded(ours: dict[str, Leaf], theirs: dict[str, Leaf]) -> dict[str, Leaf]:
    """Ours, with an item of a list that they have not as one value: `reason …, until …`."""
    found: dict[str, Leaf] = {}
    for path, leaf in ours.items():
        item, bracket, key = path.rpartition("]")
        if not bracket or path in theirs:
            found[path] = leaf
            continue
        said = f"{key.lstrip('.')} {leaf.text}".strip()
        before = found.get(item + bracket)
        text = f"{before.text}, {said}" if before else said
        found[item + bracket] = Leaf(item + bracket, text, text, "")
    return found


def _line(path: str, before: Leaf | None, after: Leaf | None, plans: tuple[Plan, Plan]) -> Line:
    fact, known = FACTS.get(path), after or before
    description = known.description if known else ""
    moot = tuple(fact.moot(plan) for plan in plans) if fact else ("", "")
    if all(moot):  # it differs, even so: say the values themselves
        moot = ("", "")
    return Line(
        group(path),
        Effect.CHANGES if any(moot) else _effect(fact, before, after),
        fact.what if fact else path,
        moot[0] or _words(fact, before),
        moot[1] or _words(fact, after),
        _meaning(fact, plans) if fact else " ".join(description.replace("`", "").split()).rstrip("."),
        path,
    )


def _words(fact: Fact | None, leaf: Leaf | None) -> str:
    if leaf is None:
        return NOTHING
    return fact.words.get(leaf.key, leaf.text) if fact else leaf.text


def _effect(fact: Fact | None, before: Leaf | None, after: Leaf | None) -> Effect:
    if fact is None or before is None or after is None:
        return Effect.CHANGES
    ranks = _rank(fact, before), _rank(fact, after)
    if None in ranks:
        return Effect.CHANGES
    worse, better = (Effect.GAINS, Effect.LOSES) if fact.safer is Safer.LESS else (Effect.LOSES, Effect.GAINS)
    return worse if (ranks[1] or 0) < (ranks[0] or 0) else better


def _rank(fact: Fact, leaf: Leaf) -> float | None:
    if fact.safer is Safer.LATER:
        known = list(fact.words)
        return known.index(leaf.key) if leaf.key in known else None
    return None if fact.safer is Safer.NEITHER else leaf.number


def _meaning(fact: Fact, plans: tuple[Plan, Plan]) -> str:
    """What follows; of a plan for both, and only once where it is the same."""
    if isinstance(fact.meaning, str):
        return fact.meaning
    said = [fact.meaning(plan) for plan in plans]
    return said[0] if said[0] == said[1] else f"{said[0]} → {said[1]}"
