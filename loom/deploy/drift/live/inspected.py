"""A container as Docker holds it, in the words of the compose file. Pure data."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from loom.deploy.drift.live import arguments
from loom.deploy.drift.live.evidence import Program, Value

Document = Mapping[str, Any]
"""What `docker container inspect` says of one."""
_NANO = 1_000_000_000
_DEFAULT_CAPABILITY = "CAP_"


def program(document: Document) -> Program:
    """The container."""
    host, config = document["HostConfig"], document["Config"]
    facts: dict[str, Value] = {
        "image": config["Image"],
        "image id": document["Image"],
        "entrypoint": tuple(config.get("Entrypoint") or ()),
        "user": config.get("User") or "",
        **arguments.facts(config.get("Cmd") or ()),
        **_limits(host),
        **_rights(host),
        **_outside(host, document),
        **_logging(host),
        "restart": _restart(host.get("RestartPolicy") or {}),
        "stop_signal": config.get("StopSignal") or "",
        "stop_grace_period": config.get("StopTimeout"),
        **_pairs("environment", config.get("Env") or ()),
        **{f"label {name}": value for name, value in (config.get("Labels") or {}).items()},
    }
    return Program(facts, _started(document))


def image(document: Document, rendered: Mapping[str, Value]) -> dict[str, Value]:
    """What a container has of its image; arguments only where neither they nor a program were rendered."""
    config = document.get("Config") or {}
    told = "entrypoint" in rendered or any(key.startswith("argument ") for key in rendered)
    return {
        "image id": document["Id"],
        "entrypoint": tuple(config.get("Entrypoint") or ()),
        "user": config.get("User") or "",
        "stop_signal": config.get("StopSignal") or "",
        **arguments.facts(() if told else config.get("Cmd") or ()),
    }


def _limits(host: Document) -> dict[str, Value]:
    cpus = (host.get("NanoCpus") or 0) / _NANO
    return {
        "mem_limit": host.get("Memory") or 0,
        "memswap_limit": host.get("MemorySwap") or 0,
        "pids_limit": host.get("PidsLimit") or 0,
        "cpus": f"{cpus:g}" if cpus else None,
    }


def _rights(host: Document) -> dict[str, Value]:
    return {
        "read_only": bool(host.get("ReadonlyRootfs")),
        "privileged": bool(host.get("Privileged")),
        "cap_drop": _capabilities(host.get("CapDrop")),
        "cap_add": _capabilities(host.get("CapAdd")),
        "security_opt": frozenset(host.get("SecurityOpt") or ()),
        "tmpfs": frozenset(host.get("Tmpfs") or ()),
    }


def _capabilities(names: Iterable[str] | None) -> frozenset[str]:
    return frozenset(name.removeprefix(_DEFAULT_CAPABILITY) for name in names or ())


def _outside(host: Document, document: Document) -> dict[str, Value]:
    """Published ports and networks; a network of Docker's own is the container's mode."""
    mode = str(host.get("NetworkMode") or "")
    networks = (document.get("NetworkSettings") or {}).get("Networks") or {}
    own = frozenset(name for name in networks if name not in {"none", "host", "bridge"})
    return {
        "ports": frozenset(_ports(host.get("PortBindings") or {})),
        "networks": own,
        "network_mode": "" if mode in own else mode,
        "mounts": frozenset(_mounts(document.get("Mounts") or ())),
    }


def _ports(bindings: Mapping[str, Any]) -> Iterable[str]:
    for port, bound in bindings.items():
        number, _, protocol = port.partition("/")
        suffix = "" if protocol == "tcp" else f"/{protocol}"
        for one in bound or ():
            address = f"{one['HostIp']}:" if one.get("HostIp") else ""
            yield f"{address}{one['HostPort']}:{number}{suffix}"


def _mounts(mounts: Iterable[Document]) -> Iterable[str]:
    """Binds and volumes, by where they are in the container."""
    for one in mounts:
        if one.get("Type") in {"bind", "volume"}:
            yield f"{one['Destination']}{'' if one.get('RW') else ' (read-only)'}"


def _logging(host: Document) -> dict[str, Value]:
    log = host.get("LogConfig") or {}
    options = {f"logging {name}": str(value) for name, value in (log.get("Config") or {}).items()}
    return {"logging driver": log.get("Type") or "", **options}


def _restart(policy: Document) -> str:
    name, most = str(policy.get("Name") or "no"), policy.get("MaximumRetryCount") or 0
    return f"{name}:{most}" if most else name


def _pairs(prefix: str, texts: Iterable[str]) -> dict[str, Value]:
    return {f"{prefix} {name}": value for name, _, value in (text.partition("=") for text in texts)}


def _started(document: Document) -> float:
    text = str((document.get("State") or {}).get("StartedAt") or "")
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp())
    except ValueError:
        return 0.0
