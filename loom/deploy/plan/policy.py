"""What is refused whatever its size: unsafe in production, or without effect."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches

from loom.contract.metrics import ALL
from loom.contract.naming import Naming
from loom.deploy.plan.finding import at, written
from loom.deploy.plan.layout import LOOPBACK
from loom.deploy.plan.model import Plan
from loom.deploy.plan.outward import every
from loom.deploy.profile.routing import faults
from loom.errors import Problem

PRODUCTION = frozenset({"production", "prod"})
"""Environments that are held to more."""
_STRICT = ("environment",)
"""What a refusal in production follows from."""
_TLS = ("security.tls.mode",)


def production(plan: Plan) -> Iterator[Problem]:
    """Nothing that is meant for a developer's own machine."""
    profile = plan.profile
    if profile.environment not in PRODUCTION:
        return
    if profile.collector.diagnostics:
        message = f"zpages and pprof show data and memory to whoever asks: not in {profile.environment}"
        yield at(profile, "collector.diagnostics", message, "write false", _STRICT)
    if profile.ports.bind != LOOPBACK:
        message = f"every interface of the machine: not in {profile.environment}"
        yield at(profile, "ports.bind", message, "write 127.0.0.1; for telemetry alone, ingest_bind", _STRICT)


def ingestion(plan: Plan) -> Iterator[Problem]:
    """Other machines send only where they know whom to, and in production where nobody can listen."""
    profile = plan.profile
    if profile.ports.ingest_bind == LOOPBACK:
        return
    tls = profile.security.tls
    if tls.mode == "off" and profile.environment in PRODUCTION:
        message = f"other machines would send in plain text: not in {profile.environment}"
        yield at(
            profile, "ports.ingest_bind", message, "write mutual in security.tls.mode, or 127.0.0.1 here"
        )
    if tls.mode != "off" and not tls.hosts:
        message = "other machines would find none of their names for this one in its certificate"
        yield at(profile, "ports.ingest_bind", message, "write the names in security.tls.hosts")


def protection(plan: Plan) -> Iterator[Problem]:
    """In production every edge is encrypted and authenticated, or says until when and why it is not."""
    profile = plan.profile
    if profile.environment not in PRODUCTION:
        return
    bare = [edge for edge in plan.edges if not edge.protected and edge.waiver is None]
    if not bare:
        return
    if profile.security.tls.mode == "off":
        message = (
            f"{len(bare)} edges are plain text, the first is {bare[0].name}: not in {profile.environment}"
        )
        hint = "write mutual, then `loom-deploy certs create`"
        yield at(profile, "security.tls.mode", message, hint, _STRICT)
        return
    for edge in bare:
        lack = "not encrypted" if not edge.encrypted else "open to whoever can reach it"
        hint = "protect it, or waive it with edge, reason and until"
        message = f"{edge.name} is {lack}: not in {profile.environment}"
        yield at(profile, "security.waivers", message, hint, _STRICT)


def waivers(plan: Plan) -> Iterator[Problem]:
    """A waiver for what is no edge, or needs none, hides what it will be taken for."""
    known = {edge.name: edge for edge in every(plan)}
    for number, waiver in enumerate(plan.profile.security.waivers):
        edge = known.get(waiver.edge)
        path = f"security.waivers.{number}.edge"
        if edge is None:
            near = get_close_matches(waiver.edge, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else "`loom-deploy plan` shows the edges"
            yield at(plan.profile, path, f"there is no edge {waiver.edge!r}", hint)
        elif edge.protected:
            yield at(plan.profile, path, f"{waiver.edge} is encrypted and authenticated", "remove the waiver")
    twice = [
        name
        for name, count in Counter(one.edge for one in plan.profile.security.waivers).items()
        if count > 1
    ]
    for name in twice:
        yield at(plan.profile, "security.waivers", f"{name} is waived twice", "remove one")


def overdue(plan: Plan, today: date) -> tuple[Problem, ...]:
    """Waivers that are over: what they allowed is not allowed any more."""
    over = [one for one in plan.profile.security.waivers if date.fromisoformat(one.until) < today]
    return tuple(
        at(
            plan.profile,
            f"security.waivers.{plan.profile.security.waivers.index(one)}.until",
            f"the waiver of {one.edge} ended on {one.until}",
            "protect the edge, or look again and say until when",
        )
        for one in over
    )


def consistent(plan: Plan) -> Iterator[Problem]:
    """Security that would only look like it."""
    security = plan.profile.security
    if security.tls.mode == "off" and security.authentication != "off":
        message = "passwords would travel in plain text while security.tls.mode is off"
        hint = "write tls.mode mutual as well, or off here"
        yield at(plan.profile, "security.authentication", message, hint, _TLS)
    if security.tls.mode == "off" and security.ingestion == "token":
        message = "tokens would travel in plain text while security.tls.mode is off"
        hint = "write tls.mode mutual as well, or remove it"
        yield at(plan.profile, "security.ingestion", message, hint, _TLS)


def unused(plan: Plan) -> Iterator[Problem]:
    """A limit that was written, and that the chosen storage does not know."""
    storage = plan.profile.tracing.storage
    path = "tracing.retention" if storage == "memory" else "tracing.max_traces"
    if written(plan.profile, path):
        message = f"has no effect while tracing.storage is {storage}"
        hint = "remove it; null removes what a base says"
        yield at(plan.profile, path, message, hint, ("tracing.storage",))


def receivers(plan: Plan) -> Iterator[Problem]:
    """Alertmanager refuses two receivers of one name."""
    counts = Counter(webhook.name for webhook in plan.profile.alerting.receivers)
    for name, count in counts.items():
        if count > 1:
            message = f"{count} receivers are called {name!r}"
            yield at(plan.profile, "alerting.receivers", message, "give each its own name")


def routing(plan: Plan) -> Iterator[Problem]:
    """Receivers, teams and routes that do not fit together."""
    for fault in faults(plan.profile.alerting):
        yield at(plan.profile, *fault)


def namespace(plan: Plan) -> Iterator[Problem]:
    """Words that Prometheus takes for a suffix: pushed to, it sees the namespace as a part of names."""
    metrics = plan.profile.metrics
    if metrics.delivery != "otlp":
        return
    for word in dict.fromkeys(metrics.namespace.split("_")):
        naming = Naming(metrics.naming, word)
        if word and any(naming.joined(metric) != naming.base(metric) for metric in ALL):
            message = f"Prometheus takes {word!r} for a suffix, which it drops or moves to the end of a name"
            hint = "leave it out, or write naming: documented or delivery: scrape"
            causes = ("metrics.naming", "metrics.delivery")
            yield at(plan.profile, "metrics.namespace", message, hint, causes)


CHECKS = (
    production,
    ingestion,
    protection,
    waivers,
    consistent,
    unused,
    receivers,
    routing,
    namespace,
)
