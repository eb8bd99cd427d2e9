"""What silences what: one message for one cause."""

from collections.abc import Collection
from dataclasses import dataclass

from loom.contract import foreign as f
from loom.contract.attributes import SERVER
from loom.contract.objective import SLO
from loom.contract.resource import ENVIRONMENT_LABEL, INSTANCE, JOB
from loom.deploy.artifacts.alertmanager.matching import among, equal, present
from loom.deploy.artifacts.rules.alert import Severity

PIPELINE = "PipelineTargetDown"
_SIGNAL = "signal"
"""Label of what the canary says: traces or metrics."""
_FRESHNESS = ("LoomFreshnessBudgetBurnFast", "LoomFreshnessBudgetBurnSlow")


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While a source fires, targets that are equal in some labels reach nobody."""

    why: str
    """A comment: what makes the targets no news."""
    source: tuple[str, ...]
    """Matchers."""
    target: tuple[str, ...]
    equal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A cause and what follows from it, by the names of alerts."""

    why: str
    cause: str
    jobs: tuple[str, ...]
    """Of the cause: only when it is about one of these; empty for any."""
    effects: tuple[str, ...]
    alike: tuple[str, ...] = ()
    """Labels, besides the environment, in which both must be equal."""


def _worse(cause: str, *lesser: str, alike: tuple[str, ...] = ()) -> Chain:
    return Chain(f"{cause} says it already.", cause, (), lesser, (JOB, *alike))


_COLLECTING = (f.JOB_EXPORTER, f.JOB_COLLECTOR, f.JOB_METRICS, f.JOB_SAMPLER)
_EXPORTER = "exporter"
"""Label of a collector's queues, by whom they lead to."""
LESSER = (
    _worse("LoomMcpServerDown", "LoomMcpServerFlapping", alike=(SERVER.label,)),
    _worse(PIPELINE, "PipelineProcessRestarting", alike=(INSTANCE,)),
    _worse(
        "CollectorQueueFull", "CollectorQueueNearlyFull", "CollectorLosingData", alike=(INSTANCE, _EXPORTER)
    ),
    _worse("CollectorDroppingData", "CollectorLosingData", alike=(INSTANCE, _EXPORTER)),
    # A full queue is why a receiver refuses, whoever the queue leads to.
    _worse("CollectorQueueFull", "CollectorRefusingData", alike=(INSTANCE,)),
    _worse("CollectorOutOfMemory", "CollectorRefusingData", alike=(INSTANCE,)),
    _worse("JaegerNotStoring", "JaegerRefusingSpans"),
    _worse("JaegerVolumeFull", "JaegerVolumeFilling"),
    _worse("PrometheusVolumeFull", "PrometheusVolumeFilling"),
    _worse("PrometheusSeriesNearMemory", "PrometheusSeriesAbovePlan"),
    _worse("CertificateExpiringNow", "CertificateExpiring", alike=("identity",)),
    _worse("RemoteWriteBehind", "RemoteWriteTooSlow", alike=("remote_name",)),
    _worse("ThanosBlocksLate", "ThanosUploadsFailing"),
)
"""What a worse alert says of the same thing. Not all of a component: who is told that a disk is full must
still hear that a configuration is broken."""
CHAINS = (
    Chain(
        "Who cannot be scraped says nothing: that nothing is heard of Loom is no news then.",
        PIPELINE,
        (*_COLLECTING, f.JOB_PROMETHEUS),
        ("LoomTelemetryAbsent", "LoomServiceSilent"),
    ),
    Chain(
        "When nobody reports, the single services are no news.",
        "LoomTelemetryAbsent",
        (),
        ("LoomServiceSilent",),
    ),
    Chain(
        "What is down is the reason why the canary finds nothing.",
        PIPELINE,
        (*_COLLECTING, f.JOB_JAEGER, f.JOB_PROMETHEUS, f.JOB_CANARY),
        ("CanaryMissing", "CanaryFailing", *_FRESHNESS),
    ),
    Chain(
        "That nothing arrives is said once.", "CanaryMissing", (), ("CanaryFailing", *_FRESHNESS), ("signal",)
    ),
)


def rules(known: Collection[str]) -> tuple[Inhibition, ...]:
    """That of the objectives, and the chains among alerts that this profile has."""
    critical = equal("severity", Severity.CRITICAL)
    lesser = among("severity", [one for one in Severity if one not in {Severity.CRITICAL, Severity.NONE}])
    return (
        Inhibition(
            "A budget that burns fast burns slowly too; it says nothing of another, nor of who is to blame.",
            (critical, present(SLO)),
            (lesser, present(SLO)),
            (SLO, ENVIRONMENT_LABEL, JOB, _SIGNAL),
        ),
        *(_chain(chain, known) for chain in (*LESSER, *CHAINS) if _there(chain, known)),
    )


def _there(chain: Chain, known: Collection[str]) -> bool:
    return chain.cause in known and any(effect in known for effect in chain.effects)


def _chain(chain: Chain, known: Collection[str]) -> Inhibition:
    source = (equal("alertname", chain.cause), *([among(JOB, chain.jobs)] if chain.jobs else []))
    target = among("alertname", [effect for effect in chain.effects if effect in known])
    return Inhibition(chain.why, source, (target,), (ENVIRONMENT_LABEL, *chain.alike))
