"""What is not as the contract says: each fault once, with how often it was seen."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from loom.errors import Problem

_KINDS = 500
"""Different faults that are kept; a stream of ever new ones must not fill the memory."""
_OF_ONE = 20
"""Of these, the most about one metric or span."""


class Subject(StrEnum):
    """What a fault is about."""

    METRIC = "metric"
    SPAN = "span"
    RESOURCE = "resource"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    subject: Subject
    name: str
    """Of the metric; key of the span; name of the service."""
    text: str
    """What is wrong, without a full stop."""
    hint: str = field(default="", compare=False)
    """What to do about it; empty when nothing useful is known."""

    @property
    def problem(self) -> Problem:
        """The same in the project's own form."""
        return Problem(f"{self.subject} {self.name}: {self.text}", hint=self.hint)


@dataclass(frozen=True, slots=True)
class Counted:
    """A fault and how often it was seen."""

    fault: Fault
    times: int

    @property
    def problem(self) -> Problem:
        """With the number, where it says something: a metric is sent again at every export."""
        problem = self.fault.problem
        if self.times == 1 or self.fault.subject is not Subject.SPAN:
            return problem
        return Problem(f"{problem.message} ({self.times} spans)", hint=problem.hint)


class Faults:
    """Every different fault so far, in the order of their first appearance."""

    def __init__(self) -> None:
        """None yet."""
        self._times: dict[Fault, int] = {}
        self._names: dict[tuple[Subject, str], int] = {}
        self.dropped = 0
        """Faults that were not kept because there were too many different ones."""

    def add(self, faults: Iterable[Fault]) -> None:
        """Count each."""
        for fault in faults:
            if fault in self._times:
                self._times[fault] += 1
            elif self._room(fault):
                self._times[fault] = 1
            else:
                self.dropped += 1

    def __iter__(self) -> Iterator[Counted]:
        """Each with its number."""
        return (Counted(fault, times) for fault, times in self._times.items())

    def __len__(self) -> int:
        """How many different ones."""
        return len(self._times)

    def about(self, subject: Subject, name: str) -> int:
        """How many different ones about one metric or span."""
        return self._names.get((subject, name), 0)

    def _room(self, fault: Fault) -> bool:
        about = (fault.subject, fault.name)
        if len(self._times) >= _KINDS or self._names.get(about, 0) >= _OF_ONE:
            return False
        self._names[about] = self._names.get(about, 0) + 1
        return True


def similar(name: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing; by the part behind the last dot, since all begin alike."""
    ends = {each.rpartition(".")[2]: each for each in known}
    close = get_close_matches(name.rpartition(".")[2], ends, 1, 0.75)
    return f"did you mean {ends[close[0]]!r}?" if close else ""
