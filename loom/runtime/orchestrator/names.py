"""Names of tools ↔ the aliases that model APIs accept: 1 to 64 characters of `A-Za-z0-9_-`.

`filesystem:read_file` becomes `filesystem__read_file`. The rule, character by character:

    A-Z a-z 0-9 -       itself
    :                   __
    _                   itself, unless `_` or `-` follows in the alias: then _-5f-
    anything else       _-HEX-, the code point in lower-case hexadecimal

No two names share an alias, and `decode` turns it back into its name. A name whose alias would be longer
than 64 characters gets its beginning and a hash instead, `…_-h0123456789ab`: only the table of a run turns
that back.
"""

import re
from collections.abc import Iterable
from hashlib import sha256

LONGEST = 64
"""Characters in an alias."""

_PLAIN = re.compile(r"[A-Za-z0-9-]")
_TOKEN = re.compile(r"__|_-([0-9a-f]{1,6})-|_(?![_-])|[A-Za-z0-9-]")
_HASH = "_-h"
_DIGITS = 12


def encode(name: str) -> str:
    """The alias of a name, at any length. Empty for the empty name."""
    parts: list[str] = []
    follows = ""
    for character in reversed(name):
        part = _escape(character, follows)
        parts.append(part)
        follows = part[0]
    return "".join(reversed(parts))


def decode(alias: str) -> str:
    """The name behind an alias that `encode` made. ValueError for anything else."""
    name, position = "", 0
    while position < len(alias):
        token = _TOKEN.match(alias, position)
        if token is None:
            message = f"not an alias: nothing fits at character {position + 1}"
            raise ValueError(message)
        name += _unescape(token)
        position = token.end()
    if encode(name) != alias:
        message = "not an alias: it spells its name in a way that encode never does"
        raise ValueError(message)
    return name


def shorten(name: str, salt: int = 0) -> str:
    """The alias of a name that has none of its own within the limit; the salt tells hashes apart."""
    digest = sha256(f"{salt}:{name}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    beginning = encode(name)[: LONGEST - len(_HASH) - _DIGITS]
    # Behind a `_` the marker could be read as `__` and `-h…`, which is another name's alias.
    return f"{beginning.rstrip('_')}{_HASH}{digest}"


class Names:
    """The aliases of a set of names, both ways."""

    def __init__(self, names: Iterable[str]) -> None:
        """The same names get the same aliases, in whatever order they come."""
        self._aliases: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for name in sorted(set(names)):
            alias = self._free(name)
            self._aliases[name] = alias
            self._names[alias] = name

    def alias(self, name: str) -> str:
        """The alias of a name of the set; KeyError for another one."""
        return self._aliases[name]

    def name(self, alias: str) -> str | None:
        """The name behind what a model wrote, or None when it was not offered.

        A model that writes the real name is understood too, unless that is the alias of another tool.
        """
        name = self._names.get(alias)
        return alias if name is None and alias in self._aliases else name

    def _free(self, name: str) -> str:
        alias = encode(name)
        if 0 < len(alias) <= LONGEST:
            return alias
        salt = 0
        while (alias := shorten(name, salt)) in self._names:
            salt += 1
        return alias


def _escape(character: str, follows: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    if character == ":":
        return "__"
    if character == "_" and follows not in {"_", "-"}:
        return "_"
    return f"_-{ord(character):x}-"


def _unescape(token: re.Match[str]) -> str:
    if token[1]:
        return chr(int(token[1], 16))
    return ":" if token[0] == "__" else token[0]
