"""Loom's telemetry itself: seen at the collector, in Jaeger, in Prometheus, and under the names asked for."""

from datetime import UTC, datetime

from loom.contract import environment as contract
from loom.contract import foreign
from loom.contract.naming import Naming
from loom.deploy.doctor import environment
from loom.deploy.doctor.checks import delivery, receiver, runtime, steps, stores
from loom.deploy.doctor.checks.services import answers, runs
from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok, warning
from loom.deploy.doctor.questions import JAEGER_SERVICES, NAMES, RULES
from loom.deploy.doctor.spelling import fits, loom, spelled, tokens
from loom.deploy.doctor.stack import Endpoint, embedded
from loom.deploy.plan.model import Service

REPORTS, EXPORTED, STORED, TRACED, NAMED = (
    "loom-reports",
    "metrics-exported",
    "metrics-stored",
    "traces-stored",
    "names-agree",
)
_INTERVALS = 2
"""Export intervals after a start in which absence says nothing yet."""
_OWN = {"jaeger", "otel-collector", "loom-collector"}
"""Services of Jaeger's list that are part of the pipeline themselves."""
_START = (
    "start Loom with the variables of the rendered .env and look for "
    "'OpenTelemetry initialized successfully' in its log: python -m loom.examples.bus_and_broker"
)


def judge_reporting(evidence: Evidence) -> Judgement:
    """Spans and metrics of a Loom process have been seen."""
    if not _can_see(evidence):
        return not_applicable("nothing is known that could have heard of it: no collector, no store")
    spans, points = _now(evidence)
    earlier = not spans and not points and (_services(evidence) or _stored(evidence))
    said = f"spans: {spans or 'none'}; metrics: {points or 'none'}"
    if spans and points:
        return ok(said)
    if until := _early(evidence):
        return cannot_tell(f"{said}; Loom has just started", f"wait until {until}, and ask again")
    if earlier:
        return ok("one has reported, though none since the collector's start")
    plan = evidence.stack.plan
    if points and plan and plan.profile.tracing.sampler.ratio < 1:
        return ok(f"{said}, with the sampler {plan.profile.tracing.sampler.text}")
    return broken(said, _silent(spans, points))


def _silent(spans: str, points: str) -> str:
    """What to do about the signal that is not there."""
    if points:
        return f"see {contract.SAMPLER.name} where Loom runs: always_on keeps every trace"
    return "see Loom's log for what its metric export is answered" if spans else _START


def judge_exported(evidence: Evidence) -> Judgement:
    """The collector's exporter shows Loom's metrics while a Loom process reports."""
    page = evidence.page(Endpoint.COLLECTOR_EXPORTER)
    if Endpoint.COLLECTOR_EXPORTER not in evidence.stack.endpoints:
        return not_applicable(f"no address of the exporter (--endpoint {Endpoint.COLLECTOR_EXPORTER}=…)")
    if page is None:
        return broken("the collector's metrics exporter does not answer", "see exporters.prometheus.endpoint")
    names = loom(page.points)
    if names:
        return ok(f"it shows {len(names)} series names of Loom's")
    if not evidence.senders:
        return not_applicable("no process of this machine reports at the moment: its series have expired")
    if until := _early(evidence):
        return cannot_tell("no series yet; Loom has just started", f"wait until {until}, and ask again")
    connected = ", ".join(f"pid {sender.pid} {sender.command}" for sender in evidence.senders)
    return broken(f"no series of Loom's, though {connected} is connected", _START)


def judge_stored(evidence: Evidence) -> Judgement:
    """Prometheus has Loom's metrics, if any were sent."""
    names = evidence.data(NAMES)
    if names is None:
        return not_applicable("Prometheus cannot be asked")
    found = loom(names)
    if found:
        return ok(f"{len(found)} series names of Loom's")
    page = evidence.page(Endpoint.COLLECTOR_METRICS)
    taken = page.total(foreign.ACCEPTED_METRIC_POINTS.name) if page else 0
    if not taken:
        return not_applicable("no metric has come as far as the collector")
    if until := _early(evidence):
        return cannot_tell("none yet; Loom has just started", f"wait until {until}, and ask again")
    said = f"none, though the collector took {taken:g} metric points"
    return broken(said, "see the scrape job of the collector's exporter; one scrape interval is needed")


def judge_traced(evidence: Evidence) -> Judgement:
    """Jaeger has Loom's traces, if any were sent."""
    services, page = _services(evidence), evidence.page(Endpoint.COLLECTOR_METRICS)
    if services:
        return ok(f"services {', '.join(services)}")
    answer = evidence.asked(Endpoint.JAEGER, JAEGER_SERVICES)
    if answer is None or not answer.good:
        return not_applicable("Jaeger cannot be asked")
    sent = page.total(foreign.SENT_SPANS.name) if page else 0
    if sent and _forgotten(evidence):
        return cannot_tell("Jaeger keeps traces in memory, and has started after they were sent")
    if sent:
        return broken(
            f"no service, though the collector sent {sent:g} spans", "see which Jaeger the collector sends to"
        )
    return not_applicable("no span has been sent to it")


def _forgotten(evidence: Evidence) -> bool:
    jaeger, collector = evidence.status(Service.JAEGER), evidence.status(Service.COLLECTOR)
    memory = evidence.stack.plan and evidence.stack.plan.profile.tracing.storage == "memory"
    return bool(memory and jaeger and collector and jaeger.uptime < collector.uptime - 1)


def judge_names(evidence: Evidence) -> Judgement:
    """Rules ask for the names under which series are stored."""
    now, rules, plan = _current(evidence), evidence.data(RULES), evidence.stack.plan
    queries = [rule["query"] for group in rules["groups"] for rule in group["rules"]] if rules else []
    asked = loom({token for query in queries for token in tokens(query)})
    wanted = spelled(asked) or (plan.naming if plan else None)
    stored = spelled(now, wanted.namespace) if wanted else None
    if stored is None or wanted is None:
        return not_applicable("no series of Loom's, or no rule about one")
    example = min(loom(now))
    if not fits(asked, stored) if asked else stored != wanted:
        said = f"{example} is stored {_described(stored)}; rules ask for series {_described(wanted)}"
        place = "exporters.prometheus of the collector's configuration"
        return broken(
            said, f'write namespace: "{wanted.namespace}" and {wanted.translation_strategy} in {place}'
        )
    if plan and plan.naming.namespace != stored.namespace:
        return warning(f"{example} is not what the profile says", "render again, and start what was rendered")
    double = " (the double prefix is expected)" if stored.namespace == "loom" else ""
    return ok(f"rules and series agree{double}: {example}")


def _described(naming: Naming) -> str:
    below = f"below namespace {naming.namespace}" if naming.namespace else "without a namespace"
    return f"{below} ({naming.style})"


def _current(evidence: Evidence) -> frozenset[str]:
    """Names of now, by the exporter's page; else all that Prometheus remembers."""
    page = evidence.page(Endpoint.COLLECTOR_EXPORTER)
    return loom(page.points if page else ()) or _stored(evidence)


def _can_see(evidence: Evidence) -> bool:
    places = (Endpoint.COLLECTOR_METRICS, Endpoint.JAEGER, Endpoint.PROMETHEUS, Endpoint.RECEIVER)
    return any(place in evidence.stack.endpoints for place in places)


def _services(evidence: Evidence) -> list[str]:
    answer = evidence.asked(Endpoint.JAEGER, JAEGER_SERVICES)
    document = answer.json if answer and answer.good else None
    names = (document or {}).get("data") or ()
    return sorted(name for name in names if name not in _OWN)


def _stored(evidence: Evidence) -> frozenset[str]:
    return loom(evidence.data(NAMES) or ())


def _now(evidence: Evidence) -> tuple[str, str]:
    """What has been seen of spans and of metrics: by the collector since its start, else in the stores."""
    if evidence.report is not None:
        return receiver.heard(evidence.report)
    page = evidence.page(Endpoint.COLLECTOR_METRICS)
    if page is None:
        services, names = _services(evidence), _stored(evidence)
        return f"Jaeger knows {', '.join(services)}" * bool(services), f"{len(names)} names" * bool(names)
    spans, points = (
        page.total(series.name) for series in (foreign.ACCEPTED_SPANS, foreign.ACCEPTED_METRIC_POINTS)
    )
    return f"the collector took {spans:g}" * bool(spans), f"it took {points:g} points" * bool(points)


def _early(evidence: Evidence) -> str:
    """Until when absence says nothing, `20:15:30 UTC`; empty when that is over."""
    plan, deployment = evidence.stack.plan, evidence.stack.deployment
    said = environment.value(evidence.stack.environ, contract.EXPORT_INTERVAL.name)
    milliseconds = said if said.isdecimal() else contract.EXPORT_INTERVAL.default
    interval = plan.profile.metrics.export_interval.seconds if plan and not said else int(milliseconds) / 1000
    scrape = plan.profile.metrics.scrape_interval.seconds if plan else 0.0
    # The one that reports for the longest: it should have been heard of. The embedded receiver can be reached
    # from this machine only: whoever reports to it is seen here.
    unseen = [deployment.started] if deployment and not embedded(deployment) else []
    starts = [sender.started for sender in evidence.senders] or unseen
    until = min(starts, default=0.0) + _INTERVALS * interval + scrape
    return f"{datetime.fromtimestamp(until, UTC):%H:%M:%S} UTC" if evidence.now < until else ""


_COLLECTOR = (*receiver.CONDITIONS, runs(Service.COLLECTOR), answers(Service.COLLECTOR))
_JAEGER = (runs(Service.JAEGER), answers(Service.JAEGER))
_PROMETHEUS = (runs(Service.PROMETHEUS), answers(Service.PROMETHEUS))
_SENDING = (
    runtime.ENABLED,
    runtime.SAMPLER,
    runtime.FORMED,
    runtime.RESOLVES,
    runtime.CONNECTS,
    runtime.SPEAKS,
)
_WAY = (*_COLLECTOR, *_SENDING, runtime.OURS)
CHECKS = (
    Check(
        REPORTS,
        "A Loom process reports",
        f"{steps.INITIALISED}; {steps.CYCLE}",
        judge_reporting,
        (*_WAY, *_JAEGER, *_PROMETHEUS),
    ),
    Check(EXPORTED, "The collector shows Loom's metrics", steps.EXPORTER, judge_exported, (*_WAY, REPORTS)),
    Check(
        STORED,
        "Prometheus has Loom's metrics",
        steps.DATA,
        judge_stored,
        (*_WAY, *_PROMETHEUS, REPORTS, EXPORTED, delivery.DELIVERS, stores.TARGETS_UP),
    ),
    Check(
        TRACED,
        "Jaeger has Loom's traces",
        steps.INITIALISED,
        judge_traced,
        (*_WAY, *_JAEGER, REPORTS, delivery.DELIVERS),
    ),
    Check(NAMED, "Rules ask for the names that are stored", steps.PREFIX, judge_names, _PROMETHEUS),
)
