"""Causes that the canary sees: what it sends is not found, and certificates end."""

from loom.contract import canary
from loom.contract import foreign as f
from loom.contract.resource import JOB
from loom.deploy.credentials.authority import DAYS, Order
from loom.deploy.credentials.rotation import renew
from loom.deploy.credentials.vault import vault
from loom.deploy.drill.cause import Act, Cause, Proof
from loom.deploy.drill.ground import Ground
from loom.deploy.engine.renewal import reread
from loom.deploy.plan.identity import FOLDER, PASSWORD
from loom.deploy.plan.model import Service

_KEY = f"{FOLDER}/{Service.CANARY}/{PASSWORD}"
_FRESH = ("LoomFreshnessBudgetBurnFast", "LoomFreshnessBudgetBurnSlow")


def _lock_out(ground: Ground) -> None:
    ground.edit(_KEY, lambda _: "not-the-password")


def _let_in(ground: Ground) -> None:
    ground.restore(_KEY)


def _renew(days: int) -> Act:
    """New certificates that last so many days; the programs read them without a restart."""

    def act(ground: Ground) -> None:
        renew(ground.plan, vault(ground.folder), Order(days=days))
        reread(ground.folder)

    return act


CAUSES = (
    Cause(
        "Prometheus does not take the canary's password any more",
        ("CanaryFailing", "CanaryMissing", *_FRESH),
        _lock_out,
        _let_in,
        2,
        {JOB: f.JOB_CANARY, "signal": canary.SIGNALS[1]},
        dict.fromkeys(("CanaryFailing", *_FRESH), Proof.SILENCED),
    ),
    Cause(
        "the proxy is stopped",
        ("PipelineServiceDown",),
        lambda ground: ground.stop(Service.PROXY),
        lambda ground: ground.start(Service.PROXY),
        2,
        {"identity": str(Service.PROXY)},
        needs=Service.PROXY,
    ),
    Cause("certificates that last ten days", ("CertificateExpiring",), _renew(10), _renew(DAYS), 2),
    Cause("certificates that last two days", ("CertificateExpiringNow",), _renew(2), _renew(DAYS), 4),
)
