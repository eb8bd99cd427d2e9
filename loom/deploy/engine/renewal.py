"""Programs that read renewed credentials only when they are told so."""

from pathlib import Path

from loom.deploy import programs
from loom.deploy.engine.choice import named
from loom.deploy.engine.deployment import Home, load

_FILES = {programs.CADDY.name: "USR1"}
"""Program → the signal at which it reads its own certificate, and its users."""
_AUTHORITIES = {programs.OTELCOL.name: "HUP"}
"""The same for whom it trusts. The collector starts anew within its process: a queue on disk stays."""


def reread(rendered: Path, *, authorities: bool = False) -> tuple[str, ...]:
    """Tell a deployment's programs; the services that were told, none when nothing of it runs."""
    home = Home(rendered.parent)
    deployment = load(home) if home.record.exists() else None
    if deployment is None:
        return ()
    signals = _FILES | (_AUTHORITIES if authorities else {})
    engine = named(deployment.engine)
    return tuple(
        str(one.service)
        for one in deployment.plan.containers
        if one.program.name in signals
        and engine.signal(deployment, str(one.service), signals[one.program.name])
    )
