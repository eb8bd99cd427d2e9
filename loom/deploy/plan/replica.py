"""Services of which there can be several: each replica is a service of its own, known by its name."""

from enum import StrEnum
from typing import Self

MOST = 9
"""Replicas of one service."""
_NUMBERS = tuple(map(str, range(2, MOST + 1)))


class Replicable(StrEnum):
    """Names of services; `otel-collector-2` is the second replica of `otel-collector`, which is the first.

    A replica is made when it is first named, and is the same object ever after; loops over the class see the
    services only.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        name, _, number = str(value).rpartition("-")
        base = cls._value2member_map_.get(name)
        if base is None or base.name not in cls.__members__ or number not in _NUMBERS:
            return None
        made = str.__new__(cls, value)
        made._name_, made._value_ = f"{base.name}_{number}", str(value)
        # Two threads may come here at once: the first one's stands.
        return cls._value2member_map_.setdefault(made._value_, made)  # type: ignore[return-value] # of its own class

    @property
    def replica(self) -> int:
        """1 for the service itself, 2 for `…-2`."""
        number = self.value.rpartition("-")[2]
        return int(number) if number.isdecimal() else 1

    @property
    def role(self) -> Self:
        """The service that this is a replica of; itself for the first."""
        return self if self.replica == 1 else type(self)(self.value.rpartition("-")[0])

    def replicas(self, count: int) -> tuple[Self, ...]:
        """So many, itself the first."""
        return (self, *(type(self)(f"{self.value}-{number}") for number in range(2, count + 1)))
