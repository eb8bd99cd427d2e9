"""A command line as facts: `--a=b`, `--a b` and words without a name. Pure."""

from collections.abc import Sequence


def facts(words: Sequence[str]) -> dict[str, str]:
    """`argument --a` → value, `true` for a switch; a repeated one's values joined; other words by number."""
    found: dict[str, str] = {}
    rest = list(words)
    number = 0
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            number += 1
            name, value = str(number), word
        elif not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("-") else "true"
        key = f"argument {name}"
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found
