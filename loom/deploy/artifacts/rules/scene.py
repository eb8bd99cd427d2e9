"""What proves an alert: scenes, each a few series and the minutes at which the alert fires or does not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from loom.contract.promql import LabelError
from loom.contract.resource import ENVIRONMENT_LABEL, INSTANCE, JOB
from loom.contract.series import Series
from loom.deploy.artifacts.rules.course import Course, firing

DEFAULTS = {JOB: "loom-core", INSTANCE: "a", ENVIRONMENT_LABEL: "test"}
"""Labels of an input unless it says otherwise."""


class Kind(StrEnum):
    """What a scene shows."""

    FIRES = "fires"
    QUIET = "is quiet"
    LITTLE = "is quiet in low traffic"


@dataclass(frozen=True, slots=True)
class Input:
    """One series of a scene; LabelError when it has a label that the series does not carry."""

    series: Series
    course: Course
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse labels that the real series does not carry."""
        unknown = sorted(set(self.labels) - set(self.series.labels))
        if unknown:
            message = f"{self.series.name} carries no label {', '.join(unknown)}"
            raise LabelError(message)

    @property
    def carried(self) -> dict[str, str]:
        """Every label with its value."""
        usual = {name: value for name, value in DEFAULTS.items() if name in self.series.labels}
        return {**usual, **self.labels}

    @property
    def selector(self) -> str:
        """`name{label="value"}` with every label in alphabetical order."""
        labels = self.carried
        return self.series.name + "{" + ",".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


@dataclass(frozen=True, slots=True)
class Look:
    """A minute, and whether the alert fires then."""

    minute: int
    fires: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """One situation."""

    kind: Kind
    about: str
    """What is the matter, in a few words: `just above the limit`."""
    inputs: tuple[Input, ...]
    looks: tuple[Look, ...]
    labels: tuple[Mapping[str, str], ...] = ()
    """Labels of each alert that fires, without those of the rule; when empty those of the first inputs."""


@dataclass(frozen=True, slots=True)
class Unmetered:
    """Why an alert has no scene of low traffic: what it says is not doubtful when little happens."""

    reason: str
    """One sentence with a full stop."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that an alert must and must not do."""

    scenes: tuple[Scene, ...]
    """Those in which it fires, and, close to them, those in which it does not; none for the heartbeat."""
    little: tuple[Scene, ...] | Unmetered
    """Low traffic: a share of next to nothing says nothing."""
    silent: tuple[Mapping[str, str], ...] = ()
    """Labels of each alert that fires when there are no series at all: some for those about absence only."""

    @property
    def all(self) -> tuple[Scene, ...]:
        """Every scene."""
        return self.scenes if isinstance(self.little, Unmetered) else (*self.scenes, *self.little)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a scene is played: the alert's condition as arithmetic, and its patience."""

    truth: Callable[[int], bool]
    """Whether the condition holds at a minute."""
    hold: int
    """Minutes for which it must."""
    last: int
    """The last minute that is looked at."""


def play(kind: Kind, about: str, inputs: tuple[Input, ...], stage: Stage, *also: int) -> Scene:
    """A scene that looks at both sides of every change, at the end, and at the minutes in `also`.

    ValueError when it is to fire and does not, or the other way round: a mistake of ours.
    """
    states = firing(stage.truth, stage.hold, stage.last)
    if any(states) != (kind is Kind.FIRES):
        message = f"{about}: by its own numbers this scene does not do what it is for"
        raise ValueError(message)
    changes = {minute for minute in range(1, len(states)) if states[minute] != states[minute - 1]}
    minutes = {*changes, *(minute - 1 for minute in changes), stage.last, *also}
    return Scene(kind, about, inputs, tuple(Look(minute, states[minute]) for minute in sorted(minutes)))
