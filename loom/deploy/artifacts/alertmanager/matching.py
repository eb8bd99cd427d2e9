"""Matchers as Alertmanager's configuration writes them, quoted for its own parser and for YAML."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Some values of a label: these, or all but these."""

    values: frozenset[str]
    but: bool = False
    """All but these."""

    def __or__(self, other: "Selection") -> "Selection":
        """What either selects."""
        if self.but and other.but:
            return Selection(self.values & other.values, but=True)
        if self.but or other.but:
            most, few = (self, other) if self.but else (other, self)
            return Selection(most.values - few.values, but=True)
        return Selection(self.values | other.values)

    def matcher(self, label: str) -> str:
        """As a matcher; empty when everything is selected."""
        if self.but:
            return _matcher(label, "!~", _any(self.values)) if self.values else ""
        return among(label, self.values)


ALL = Selection(frozenset(), but=True)


def equal(label: str, value: str) -> str:
    """`'label="value"'`."""
    return _matcher(label, "=", value)


def present(label: str) -> str:
    """The label, whatever it says."""
    return _matcher(label, "=~", ".+")


def among(label: str, values: Iterable[str]) -> str:
    """Any of the values."""
    chosen = list(values)
    return equal(label, chosen[0]) if len(chosen) == 1 else _matcher(label, "=~", _any(chosen))


def _any(values: Iterable[str]) -> str:
    return "|".join(re.escape(value).replace("\\-", "-") for value in sorted(values))


def _matcher(label: str, operator: str, value: str) -> str:
    # A backslash must be escaped, or Alertmanager falls back to its old parser and says so at every start.
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    inner = f'{label}{operator}"{escaped}"'.replace("'", "''")
    return f"'{inner}'"
