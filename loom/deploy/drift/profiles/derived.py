"""What follows from several values of a profile: programs, published ports, loads. From the plan."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from loom.deploy.drift.profiles.line import NOTHING, Effect, Group, Line
from loom.deploy.plan.finding import human
from loom.deploy.plan.model import Plan, Port


@dataclass(frozen=True, slots=True)
class _Derived:
    """One figure of the plan."""

    group: Group
    what: str
    words: Callable[[Plan], str]
    meaning: str


_FIGURES = (
    _Derived(
        Group.MEMORY,
        "memory of all containers",
        lambda plan: human(plan.estimate.memory_mib * 2**20),
        "the machine must have it: all limits together",
    ),
    _Derived(
        Group.SAMPLING,
        "spans that reach Jaeger",
        lambda plan: f"{plan.estimate.spans_per_second:,.0f}/s",
        "of the planned load, after head sampling",
    ),
    _Derived(
        Group.METRICS,
        "series in Prometheus",
        lambda plan: f"{plan.estimate.series:,}, {plan.estimate.samples_per_second:,.0f} samples/s",
        "at most, of the planned load",
    ),
)


def derived(a: Plan, b: Plan) -> Iterator[Line]:
    """Figures, programs and published ports that differ."""
    for figure in _FIGURES:
        ours, theirs = figure.words(a), figure.words(b)
        if ours != theirs:
            yield Line(figure.group, Effect.CHANGES, figure.what, ours, theirs, figure.meaning)
    yield from _programs(a, b)
    yield from _published(a, b)


def _programs(a: Plan, b: Plan) -> Iterator[Line]:
    ours, theirs = _images(a), _images(b)
    for service in sorted({*ours, *theirs}):
        pair = ours.get(service, NOTHING), theirs.get(service, NOTHING)
        if pair[0] != pair[1]:
            meaning = "another image" if NOTHING not in pair else "runs in one of the two only"
            yield Line(Group.TOPOLOGY, Effect.CHANGES, f"{service} runs", *pair, meaning)


def _images(plan: Plan) -> dict[str, str]:
    return {str(container.service): container.program.reference for container in plan.containers}


def _published(a: Plan, b: Plan) -> Iterator[Line]:
    """What can be reached from the machine; its number is the profile's own matter."""
    ours, theirs = _open(a), _open(b)
    for name in sorted(ours.keys() ^ theirs.keys()):
        effect = Effect.LOSES if name in theirs else Effect.GAINS
        pair = ours.get(name, "closed"), theirs.get(name, "closed")
        yield Line(Group.SECURITY, effect, f"{name} published", *pair, "what is published can be attacked")


def _open(plan: Plan) -> dict[str, str]:
    return {_name(port): f"port {port.native}" for port in plan.ports if port.published}


def _name(port: Port) -> str:
    return f"{port.service}:{port.purpose}"
