"""What silences what: one message for one cause."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from loom.contract import canary
from loom.contract import foreign as f
from loom.contract.attributes import SERVER
from loom.contract.objective import SLO
from loom.contract.resource import ENVIRONMENT_LABEL, INSTANCE, JOB
from loom.deploy.artifacts.alertmanager.matching import among, equal, present
from loom.deploy.artifacts.prometheus import targets
from loom.deploy.artifacts.rules.alert import Severity
from loom.deploy.plan import topology
from loom.deploy.plan.model import Plan
from loom.deploy.plan.topology import Duty

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
    signal: str = ""
    """Of the effects: only those about this one; empty for any."""


def _worse(cause: str, *lesser: str, alike: tuple[str, ...] = ()) -> Chain:
    return Chain(f"{cause} says it already.", cause, (), lesser, (JOB, *alike))


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
_CANARY = ("CanaryMissing", "CanaryFailing", *_FRESHNESS)


def chains(plan: Plan) -> tuple[Chain, ...]:
    """What follows from what, in this topology."""
    metrics = (*_carrying(plan, lambda duty: duty.metrics), f.JOB_PROMETHEUS)
    traces = (*(job for job in _carrying(plan, _traces) if job != f.JOB_EXPORTER), f.JOB_JAEGER)
    return (
        Chain(
            "Who cannot be scraped says nothing: that nothing is heard of Loom is no news then.",
            PIPELINE,
            metrics,
            ("LoomTelemetryAbsent", "LoomServiceSilent"),
        ),
        Chain(
            "When nobody reports, the single services are no news.",
            "LoomTelemetryAbsent",
            (),
            ("LoomServiceSilent",),
        ),
        *(
            Chain(
                f"What is down is the reason why the canary finds no {signal}.",
                PIPELINE,
                (*jobs, f.JOB_CANARY),
                _CANARY,
                signal=signal,
            )
            for signal, jobs in zip(canary.SIGNALS, (traces, metrics), strict=True)
        ),
        Chain("That nothing arrives is said once.", "CanaryMissing", (), _CANARY[1:], (_SIGNAL,)),
    )


def _traces(duty: Duty) -> bool:
    return bool(duty.traces)


def _carrying(plan: Plan, carries: Callable[[Duty], bool]) -> Iterator[str]:
    """Jobs of the collectors with such a duty."""
    profile = plan.profile
    roles = {one.role for one in topology.collectors(profile) if carries(topology.duty(profile, one))}
    return (target.job for target in targets(plan) if target.service in roles)


def rules(plan: Plan, known: Collection[str]) -> tuple[Inhibition, ...]:
    """That of the objectives, and the chains among the alerts that there are."""
    critical = equal("severity", Severity.CRITICAL)
    lesser = among("severity", [one for one in Severity if one not in {Severity.CRITICAL, Severity.NONE}])
    return (
        Inhibition(
            "A budget that burns fast burns slowly too; it says nothing of another, nor of who is to blame.",
            (critical, present(SLO)),
            (lesser, present(SLO)),
            (SLO, ENVIRONMENT_LABEL, JOB, _SIGNAL),
        ),
        *(_chain(chain, known) for chain in (*LESSER, *chains(plan)) if _there(chain, known)),
    )


def _there(chain: Chain, known: Collection[str]) -> bool:
    return chain.cause in known and any(effect in known for effect in chain.effects)


def _chain(chain: Chain, known: Collection[str]) -> Inhibition:
    source = (equal("alertname", chain.cause), *([among(JOB, chain.jobs)] if chain.jobs else []))
    target = among("alertname", [effect for effect in chain.effects if effect in known])
    about = (equal(_SIGNAL, chain.signal),) if chain.signal else ()
    return Inhibition(chain.why, source, (target, *about), (ENVIRONMENT_LABEL, *chain.alike))
