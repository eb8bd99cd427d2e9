"""A PromQL expression as tokens: enough to change one of them and to know what it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKENS = re.compile(
    r'(?P<text>"(?:\\.|[^"\\])*")'
    r"|(?P<window>\[[^\]]*\])"
    r"|(?P<word>[A-Za-z_:][\w:]*)"
    r"|(?P<duration>[0-9]+[smhdwy]\b)"
    r"|(?P<number>[0-9][0-9.]*(?:e[+-]?[0-9]+)?)"
    r"|(?P<operator>!~|=~|!=|==|>=|<=|[-<>=+*/])"
    r"|(?P<mark>[(){},])"
    r"|(?P<space>\s+)"
)
COMPARISONS = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "!=", "!=": "=="}
MATCHERS = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token and where it stands."""

    kind: str
    text: str
    start: int
    end: int
    inside: bool
    """Whether it stands in the braces of a selector."""


def tokenize(expression: str) -> list[Token]:
    """Every token but spaces; ValueError for what is none."""
    found, at, inside = [], 0, False
    while at < len(expression):
        match = _TOKENS.match(expression, at)
        if match is None or match.lastgroup is None:
            message = f"no token at {expression[at:]!r}"
            raise ValueError(message)
        inside = {"{": True, "}": False}.get(match[0], inside)
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup, match[0], at, match.end(), inside))
        at = match.end()
    return found


def replaced(expression: str, token: Token, text: str) -> str:
    """The expression with another token in its place."""
    return expression[: token.start] + text + expression[token.end :]


def grouped(tokens: list[Token]) -> Iterator[tuple[Token, Token | None]]:
    """Each label of each `by (…)`, with the comma that goes with it."""
    for number, token in enumerate(tokens):
        if token.text != "by":
            continue
        close = next(at for at in range(number, len(tokens)) if tokens[at].text == ")")
        listed = range(number + 2, close, 2)
        for at in listed:
            comma = at + 1 if at + 1 < close else at - 1
            yield tokens[at], tokens[comma] if len(listed) > 1 else None


def matchers(tokens: list[Token]) -> Iterator[tuple[Token, Token, Token]]:
    """Each matcher of each selector: label, operator, value."""
    for number, token in enumerate(tokens):
        if token.inside and token.kind == "operator":
            yield tokens[number - 1], token, tokens[number + 1]
