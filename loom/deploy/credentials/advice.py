"""Commands in hints, complete: whoever reads one pastes it. Pure.

What is wrong with credentials is found where nobody knows by which options a profile and a deployment were
named. Whoever knows adds them, before a problem is shown.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from loom.errors import LoomError, Problem

_COMMAND = re.compile(r"loom-deploy (?:certs|secrets) (?:create|check|rotate|init|set)\b")


def selection(profile: str, name: str = "", overrides: Sequence[str] = (), output: Path | None = None) -> str:
    """The options by which credentials are meant: `--profile prod --name other`."""
    words = ["--profile", profile, *(word for each in overrides for word in ("--set", each))]
    words += ["--name", name] if name and name != Path(profile).stem else []
    words += ["--output", str(output)] if output else []
    return shlex.join(words)


def complete(hint: str, options: str) -> str:
    """`run: loom-deploy certs create` → `run: loom-deploy certs create --profile prod`."""
    return _COMMAND.sub(lambda found: f"{found[0]} {options}", hint)


def completed(problems: Iterable[Problem], options: str) -> tuple[Problem, ...]:
    """The same for the hints of problems."""
    return tuple(replace(one, hint=complete(one.hint, options)) for one in problems)


@contextmanager
def advised(options: str) -> Iterator[None]:
    """Errors about credentials leave with complete hints."""
    try:
        yield
    except LoomError as error:
        raise type(error)(*completed(error.problems, options)) from error
