"""How many values of an attribute one process may record."""

from collections import defaultdict

from loom.contract.attribute import OVERFLOW_VALUE, Attribute


class Budgets:
    """The values admitted so far, attribute by attribute; the same for every metric, so that labels join."""

    def __init__(self) -> None:
        """Nothing is spent yet."""
        self._admitted: defaultdict[str, set[str]] = defaultdict(set)

    def admit(self, attribute: Attribute, value: str) -> str:
        """The value itself, or the overflow value once the budget is spent.

        ValueError when the attribute has a closed set of values and this is none of them.
        """
        if attribute.values:
            if value not in attribute.values:
                message = f"{attribute.name} is one of {', '.join(attribute.values)}, not {value!r}"
                raise ValueError(message)
            return value
        admitted = self._admitted[attribute.name]
        if value in admitted:
            return value
        if len(admitted) >= attribute.budget:
            return OVERFLOW_VALUE
        if value != OVERFLOW_VALUE:
            admitted.add(value)
        return value

    def knows(self, attribute: Attribute, value: str) -> bool:
        """Whether the value was admitted before."""
        return value in self._admitted[attribute.name]

    def left(self, attribute: Attribute) -> int:
        """How many more values fit."""
        return attribute.budget - len(self._admitted[attribute.name])
