"""The capabilities that are registered."""

from typing import NamedTuple

from loom.runtime.capability import Capability, Provider
from loom.runtime.version import choose

CHOICES = 2048
"""Choices that are remembered: models can ask for any number of versions that fit."""

SHOWN = 5
"""Versions that are named to whoever asks for one that does not exist: the latest that were registered."""


class Registration(NamedTuple):
    """A capability and what serves it."""

    capability: Capability
    provider: Provider


class Catalogue:
    """Registrations by name and version."""

    def __init__(self) -> None:
        """Nothing is registered."""
        self._versions: dict[str, dict[str, Registration]] = {}
        self._chosen: dict[tuple[str, str], Registration] = {}
        """What was found for a name and a version that was asked for."""

    def add(self, registration: Registration) -> Registration | None:
        """Register or replace; what was there before."""
        self._chosen.clear()
        capability = registration.capability
        versions = self._versions.setdefault(capability.name, {})
        before = versions.pop(capability.version, None)
        versions[capability.version] = registration
        return before

    def remove(self, name: str, version: str = "") -> list[Registration]:
        """Take out one version exactly, or all of them; what was taken out."""
        self._chosen.clear()
        versions = self._versions.get(name, {})
        taken = [versions.pop(known) for known in list(versions) if version in {"", known}]
        if not versions:
            self._versions.pop(name, None)
        return taken

    def find(self, name: str, wanted: str) -> Registration | None:
        """The registration that a call gets."""
        return self._chosen.get((name, wanted)) or self._choose(name, wanted)

    def explain(self, name: str, wanted: str) -> str:
        """Why nothing was found, and what to do about it."""
        known = list(self._versions.get(name, ()))
        if not known:
            return f"nothing serves {name}: register it, or connect the MCP server that has it"
        return f"nothing serves {name} {wanted}, but: {', '.join(known[-SHOWN:])}"

    def capabilities(self) -> list[Capability]:
        """Everything that is registered, by name, then in the order of registration."""
        return [
            registration.capability
            for name in sorted(self._versions)
            for registration in self._versions[name].values()
        ]

    def _choose(self, name: str, wanted: str) -> Registration | None:
        versions = self._versions.get(name)
        if not versions:
            return None
        chosen = choose(wanted, versions)
        if chosen is None:
            return None
        if len(self._chosen) >= CHOICES:
            self._chosen.clear()
        self._chosen[name, wanted] = versions[chosen]
        return versions[chosen]
