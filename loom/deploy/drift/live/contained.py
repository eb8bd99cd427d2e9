"""The containers as the rendered compose file has them, in the words of `inspected`. Pure data."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from loom.deploy.drift.live import arguments
from loom.deploy.drift.live.evidence import Program, Value
from loom.deploy.drift.live.markup import parsed
from loom.deploy.drift.live.scalar import milliseconds

NO_FACTS = frozenset(
    {"build", "container_name", "depends_on", "extends", "healthcheck", "hostname", "profiles", "pull_policy"}
    | {"secrets", "volumes"}
)
"""Keys of a service that do not decide what its container may do; mounts are compared as such."""
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::?-([^}]*))?\})")
_BYTES = {"k": 2**10, "m": 2**20, "g": 2**30}


def wanted(text: str, project: str, environment: Mapping[str, str]) -> dict[str, Program]:
    """Service → the container as it was rendered; `environment` fills variables as `.env` does."""
    document = parsed(_filled(text, environment))
    return {name: _program(service, project) for name, service in document["services"].items()}


def unknown(text: str) -> dict[str, list[str]]:
    """Service → keys of it that nothing here compares: named, so that nobody believes they were."""
    services = parsed(text)["services"]
    found = {name: sorted(service.keys() - NO_FACTS - _READERS.keys()) for name, service in services.items()}
    return {name: keys for name, keys in found.items() if keys}


def _filled(text: str, environment: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return "$" if found[1] is None else environment.get(found[1], found[2] or "")

    return _VARIABLE.sub(value, text)


def _program(service: Mapping[str, Any], project: str) -> Program:
    facts: dict[str, Value] = {}
    for key, read in _READERS.items():
        if key in service:
            facts |= read(service[key])
    if "networks" in facts:
        facts["networks"] = frozenset(f"{project}_{name}" for name in service["networks"])
    facts["mounts"] = frozenset(_targets(service))
    return Program(facts, mounts=_mounts(service))


def _targets(service: Mapping[str, Any]) -> Iterator[str]:
    """Binds, volumes and secrets, by where they are in the container."""
    for one in service.get("volumes", ()):
        if isinstance(one, Mapping) and one.get("type") != "tmpfs":
            yield f"{one['target']}{' (read-only)' if one.get('read_only') else ''}"
    for name in service.get("secrets", ()):
        yield f"/run/secrets/{name} (read-only)"


def _mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """Bind mounts of rendered files: target → path among them."""
    binds = [
        one for one in service.get("volumes", ()) if isinstance(one, Mapping) and one.get("type") == "bind"
    ]
    return {one["target"]: str(one["source"]).removeprefix("./") for one in binds}


Reader = Callable[[Any], dict[str, Value]]


def _plain(key: str) -> Reader:
    return lambda value: {key: value}


def _set(key: str) -> Reader:
    return lambda value: {key: frozenset(map(str, value))}


def _size(key: str) -> Reader:
    return lambda value: {key: size(value)}


def size(value: object) -> int:
    """Bytes of compose's `512m`, `1.5GiB` or a number."""
    text = str(value).lower().removesuffix("ib").removesuffix("b") or "0"
    return int(float(text[:-1]) * _BYTES[text[-1]]) if text[-1] in _BYTES else int(text)


def _seconds(key: str) -> Reader:
    return lambda value: {key: f"{milliseconds(str(value)) / 1000:g}"}


def _pairs(prefix: str) -> Reader:
    def read(value: Any) -> dict[str, Value]:  # noqa: ANN401 - YAML
        items = (
            value.items() if isinstance(value, Mapping) else (str(one).partition("=")[::2] for one in value)
        )
        return {f"{prefix} {name}": text if text is None else str(text) for name, text in items}

    return read


def _ports(value: Any) -> dict[str, Value]:  # noqa: ANN401 - YAML
    return {"ports": frozenset(str(one) for one in value)}


def _logging(value: Mapping[str, Any]) -> dict[str, Value]:
    options = {f"logging {name}": str(one) for name, one in (value.get("options") or {}).items()}
    return {"logging driver": value.get("driver"), **options}


def _tmpfs(value: Any) -> dict[str, Value]:  # noqa: ANN401 - YAML
    paths = [value] if isinstance(value, str) else value
    return {"tmpfs": frozenset(str(one).partition(":")[0] for one in paths)}


def _command(value: Any) -> dict[str, Value]:  # noqa: ANN401 - YAML
    return {**arguments.facts([str(one) for one in value])}


_READERS: dict[str, Reader] = {
    "image": _plain("image"),
    "command": _command,
    "entrypoint": lambda value: {"entrypoint": tuple(str(one) for one in value)},
    "user": lambda value: {"user": str(value)},
    "read_only": _plain("read_only"),
    "privileged": _plain("privileged"),
    "mem_limit": _size("mem_limit"),
    "memswap_limit": _size("memswap_limit"),
    "pids_limit": _plain("pids_limit"),
    "cpus": lambda value: {"cpus": f"{float(value):g}"},
    "cap_drop": _set("cap_drop"),
    "cap_add": _set("cap_add"),
    "security_opt": _set("security_opt"),
    "restart": _plain("restart"),
    "stop_signal": _plain("stop_signal"),
    "stop_grace_period": _seconds("stop_grace_period"),
    "ports": _ports,
    "networks": _set("networks"),
    "network_mode": _plain("network_mode"),
    "tmpfs": _tmpfs,
    "environment": _pairs("environment"),
    "labels": _pairs("label"),
    "logging": _logging,
}
"""Key of a compose service → its facts."""
