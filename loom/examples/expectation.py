"""What an example expects of itself: a line for each step, and a list of what went otherwise."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Expectations:
    """Met and unmet, in the order in which they were checked."""

    met: int = 0
    unmet: list[str] = field(default_factory=list)

    def check(self, what: str, found: object, expected: object) -> None:
        """Compare, and say so when they differ."""
        if found == expected:
            self.met += 1
            return
        self.unmet.append(what)
        print(f"UNEXPECTED {what}: {found!r}, not {expected!r}")
