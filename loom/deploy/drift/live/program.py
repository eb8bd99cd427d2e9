"""A program as it runs against the same as it was rendered: arguments, environment, container. Pure data."""

from collections.abc import Iterator

from loom.deploy.drift.live.evidence import Program, Value
from loom.deploy.drift.live.model import ABSENT, Difference
from loom.deploy.drift.live.scalar import alike

_OPEN = ("environment ", "label ")
"""What a program has more of than was rendered, of its image or of the engine: no difference."""
_SECRETS = ("PASSWORD", "SECRET", "TOKEN", "CREDENTIAL")
_BYTES = frozenset({"mem_limit", "memswap_limit", "environment GOMEMLIMIT"})
_MEANINGS = {
    "mem_limit": "beyond it the program is killed; GOMEMLIMIT and the limiter fit the rendered one",
    "image": "another version than the one that was rendered and checked",
    "image id": "the name stands for another image now than when the container was made",
    "read_only": "a writable root lets an intruder stay",
    "privileged": "a privileged container is root on this machine",
    "cap_drop": "capabilities that are not dropped can be used against the machine",
    "cap_add": "capabilities that nobody rendered",
    "user": "another user may write what this one may not",
    "security_opt": "without no-new-privileges a program can become root",
    "ports": "what is published can be reached",
    "networks": "on another network others can be reached",
    "mounts": "what is mounted can be read, and written where it is not read-only",
}


def differences(service: str, source: str, wanted: Program, running: Program) -> Iterator[Difference]:
    """What runs otherwise than it was rendered; `source` says who told."""
    for key in dict.fromkeys((*wanted.facts, *running.facts)):
        if key not in wanted.facts and key.startswith(_OPEN):
            continue
        ours, theirs = wanted.facts.get(key), running.facts.get(key)
        if not _same(ours, theirs):
            yield Difference(
                service, source, _name(key), _shown(key, ours), _shown(key, theirs), _meaning(key)
            )


def _same(ours: Value, theirs: Value) -> bool:
    if isinstance(ours, frozenset | tuple) or isinstance(theirs, frozenset | tuple):
        return (ours or None) == (theirs or None)
    return alike(ours or None, theirs or None)


def _name(key: str) -> str:
    return key.removeprefix("argument ")


def _meaning(key: str) -> str:
    if key.startswith("label ") and key.endswith("config-sha256"):
        return "the container was made for other files than those that were rendered last"
    return _MEANINGS.get(key, "")


def _shown(key: str, value: Value) -> str:
    secret = key.startswith("environment ") and any(word in key.upper() for word in _SECRETS)
    return "(not shown)" if secret and value else _words(key, value)


def _words(key: str, value: Value) -> str:
    if value in (None, "", frozenset(), ()):
        return ABSENT
    if key in _BYTES and isinstance(value, int):
        return f"{value / 2**20:g} MiB"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
