"""What must be seen: everything, what the emitting components promise, or what is named. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from loom.contract import metrics, scopes, spans
from loom.contract.coverage import OCCASIONAL, OCCASIONAL_SPANS, RARE
from loom.contract.metric import Metric
from loom.contract.span import Span
from loom.deploy.embedded.fault import similar
from loom.errors import InputError, Problem

ALL = "all"
EMITTED = "emitted"


class Need(IntEnum):
    """How much of a metric or span must be seen."""

    NOTHING = 0
    PRESENT = 1
    COMPLETE = 2
    """With every value of every closed set that a healthy run can show."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Scopes that must be seen whole, names that must be seen, and whether what emits must be."""

    scopes: frozenset[str] = frozenset()
    emitted: bool = False
    """Whether each component that sent anything must send all that it records when it works well."""
    names: frozenset[str] = frozenset()
    """Metrics by name, spans by `scope/name`."""

    def of(self, entry: Metric | Span, emitting: Collection[str]) -> Need:
        """The need for one entry of the contract, `emitting` being the scopes that anything came from."""
        if isinstance(entry, Metric) and entry in RARE and entry.name not in self.names:
            return Need.NOTHING
        if entry.scope in self.scopes:
            return Need.COMPLETE
        occasional = entry in OCCASIONAL if isinstance(entry, Metric) else entry in OCCASIONAL_SPANS
        asked = (entry.name if isinstance(entry, Metric) else entry.key) in self.names
        ordinary = self.emitted and entry.scope in emitting and not occasional
        return Need.PRESENT if asked or ordinary else Need.NOTHING


EVERYTHING = Requirement(frozenset(scopes.ALL))


def require(texts: Sequence[str]) -> Requirement:
    """`all`, `emitted`, scopes, metrics, `scope/span`; InputError with a problem for each that is none."""
    known = (ALL, EMITTED, *scopes.ALL, *(x.name for x in metrics.ALL), *(x.key for x in spans.ALL))
    asked = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    unknown = [text for text in asked if text not in known]
    if unknown:
        rule = f"{ALL}, {EMITTED}, or a scope, metric or scope/span of the contract"
        raise InputError(
            *(Problem(f"--require {text}: {rule}", hint=similar(text, known)) for text in unknown)
        )
    if not asked or ALL in asked:
        return EVERYTHING
    named = frozenset(asked) - {EMITTED}
    whole = named & frozenset(scopes.ALL)
    return Requirement(whole, EMITTED in asked, named - whole)
