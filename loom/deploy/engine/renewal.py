"""Programs that read renewed credentials only when they are told so, or when they start."""

from collections.abc import Collection
from pathlib import Path

from loom.deploy import programs
from loom.deploy.engine.choice import named
from loom.deploy.engine.deployment import Home, load

_FILES = {programs.CADDY.name: "USR1"}
"""Program → the signal at which it reads its own certificate, and its users."""
_AUTHORITIES = {programs.OTELCOL.name: "HUP"}
"""The same for whom it trusts. The collector starts anew within its process: a queue on disk stays."""
_AT_START = frozenset({programs.GRAFANA.name})
"""Programs that read what they show, and whom they trust, when they start and never again."""


def reread(rendered: Path, changed: Collection[str] = (), *, authorities: bool = False) -> tuple[str, ...]:
    """Tell a deployment's programs; the services that were told, none when nothing of it runs.

    `changed` are the parties that got something new: of these, whoever reads only at its start is restarted.
    """
    home = Home(rendered.parent)
    deployment = load(home) if home.record.exists() else None
    if deployment is None:
        return ()
    signals = _FILES | (_AUTHORITIES if authorities else {})
    engine = named(deployment.engine)
    told = []
    for one in deployment.plan.containers:
        service, signal = str(one.service), signals.get(one.program.name)
        if (signal and engine.signal(deployment, service, signal)) or (
            service in changed and one.program.name in _AT_START and engine.restart(deployment, service)
        ):
            told.append(service)
    return tuple(told)
