"""The Loom process: its sampler, and every step of the way to the collector."""

from loom.contract.environment import ENDPOINT
from loom.deploy.artifacts.environment import NAME
from loom.deploy.doctor import environment
from loom.deploy.doctor.checks import steps
from loom.deploy.doctor.checks.machine import CERTIFICATES
from loom.deploy.doctor.checks.services import answers, runs
from loom.deploy.doctor.environment import GRPC, HTTP
from loom.deploy.doctor.evidence import Destination, Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok, warning
from loom.deploy.doctor.papers import of_environment
from loom.deploy.doctor.stack import Endpoint
from loom.deploy.engine.embedded import RECEIVER
from loom.deploy.plan import topology
from loom.deploy.plan.model import Service

ENABLED, SAMPLER = "sdk-enabled", "sampler"
FORMED, RESOLVES, CONNECTS, SPEAKS, OURS = (
    "endpoint-formed",
    "endpoint-resolves",
    "endpoint-connects",
    "endpoint-speaks-otlp",
    "endpoint-is-ours",
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SET = "export OTEL_TRACE_SAMPLER=always_on, or traceidratio=R with R from 0 to 1"


def judge_enabled(evidence: Evidence) -> Judgement:
    """OpenTelemetry is not switched off, and its transport is one that there is."""
    environ = evidence.stack.environ
    if not environment.given(environ):
        return not_applicable("the environment here says nothing about telemetry")
    if environment.value(environ, environment.DISABLED).lower() == "true":
        return broken(f"{environment.DISABLED}=true", f"unset {environment.DISABLED}")
    transport = environment.protocol(environ)
    if transport not in {GRPC, HTTP}:
        return broken(
            f"{environment.PROTOCOL}={transport}", f"export {environment.PROTOCOL}={GRPC}, or {HTTP}"
        )
    return ok(f"transport {transport}")


def judge_sampler(evidence: Evidence) -> Judgement:
    """The sampler is well formed, and keeps what the profile says."""
    variable, text = environment.sampler(evidence.stack.environ)
    if not variable:
        return not_applicable("the environment here sets no sampler: every trace is kept")
    ratio = environment.ratio(text)
    said = f"{variable}: {text}"
    if ratio is None:
        return broken(f"{said} is no sampler", _SET)
    plan = evidence.stack.plan
    wanted = plan.profile.tracing.sampler if plan else None
    if not ratio and not (wanted and not wanted.ratio):
        return broken(f"{said}: no trace is kept", _SET)
    if wanted and wanted.ratio != ratio:
        profile = f"the profile says {wanted.text}"
        return warning(f"{said}, {profile}", f"export OTEL_TRACE_SAMPLER={wanted.text}")
    return ok(said)


def judge_formed(evidence: Evidence) -> Judgement:
    """The endpoint is a URL."""
    return _judge(evidence, 0, f"write it as {ENDPOINT.default}")


def judge_resolved(evidence: Evidence) -> Judgement:
    """Its host has an address."""
    return _judge(evidence, 1, "correct the host, or the name service")


def judge_connected(evidence: Evidence) -> Judgement:
    """Somebody takes the connection."""
    return _judge(evidence, 2, _lead(evidence))


def judge_spoken(evidence: Evidence) -> Judgement:
    """Whoever does takes an OTLP export."""
    other = next((each for each in evidence.destinations if each.other), None)
    if other is None:
        return _judge(evidence, 3, _lead(evidence))
    said = f"{_named(other)} takes {other.other}, not {other.protocol}"
    port = "4317 is for grpc, 4318 for http/protobuf"
    return broken(said, f"export {environment.PROTOCOL}={other.other}, or send to the other port ({port})")


def judge_ours(evidence: Evidence) -> Judgement:
    """It is this deployment's collector, not another one's."""
    known = {evidence.stack.endpoints.get(Endpoint.OTLP, "")} - {""}
    plan, mine = evidence.stack.plan, [each for each in evidence.destinations if each.origin]
    if not known or not mine or plan is None:
        return not_applicable("no endpoint of the environment to compare with one of a deployment")
    entries = topology.entries(plan.profile)
    ports = {port.native for port in plan.ports if port.service in entries and port.purpose in topology.OTLP}
    stray = [each for each in mine if _local(each.url) and _port(each.url) not in ports]
    if stray:
        return broken(f"{_named(stray[0])} is not this deployment's collector", _lead(evidence))
    return ok(", ".join(_named(each) for each in mine))


def _judge(evidence: Evidence, step: int, remedy: str) -> Judgement:
    """The first destination that fails at a step; what an earlier step found is not said again."""
    if not evidence.destinations:
        return not_applicable("no OTLP endpoint is known (--endpoint otlp=…, or the environment)")
    for destination in evidence.destinations:
        said = (destination.malformed, destination.unresolved, destination.unconnected, destination.refused)
        if said[step]:
            return broken(f"{_named(destination)}: {said[step]}", remedy)
        if any(said[:step]):
            return cannot_tell(f"{_named(destination)}: an earlier step is broken")
    return ok(", ".join(map(_named, evidence.destinations)))


def _named(destination: Destination) -> str:
    return f"{destination.origin}={destination.url}" if destination.origin else destination.url


def _lead(evidence: Evidence) -> str:
    """Where to send instead, if that is known."""
    own = evidence.stack.endpoints.get(Endpoint.OTLP, "")
    wrong = any(each.origin for each in evidence.destinations)
    if own.startswith("https://") and wrong and (_there(evidence, own) or not _trusted(evidence)):
        file = evidence.stack.rendered / NAME if evidence.stack.rendered else f"the rendered {NAME}"
        return f"take every variable of {file}: the address and the certificates belong together"
    if own and wrong:
        return f"export {ENDPOINT.name}={own}"
    return "see the collector's log, and whether its OTLP port is the one it was given"


def _there(evidence: Evidence, own: str) -> bool:
    """Whether the environment sends to the deployment's own address already."""
    mine = (each.url for each in evidence.destinations if each.origin)
    return any(_local(url) and _port(url) == _port(own) for url in mine)


def _trusted(evidence: Evidence) -> bool:
    """Whether the environment says by whom the collector's certificate was signed."""
    told = (of_environment(evidence.stack.environ, each.origin) for each in evidence.destinations)
    return all(papers.authority for papers in told)


def _local(url: str) -> bool:
    return any(f"://{host}" in url for host in _LOOPBACK)


def _port(url: str) -> int:
    end = url.rstrip("/").rpartition(":")[2].partition("/")[0]
    return int(end) if end.isdecimal() else 0


_COLLECTOR = (runs(RECEIVER), answers(RECEIVER), answers(Service.COLLECTOR), CERTIFICATES)
CHECKS = (
    Check(ENABLED, "Telemetry is switched on where Loom runs", steps.INITIALISED, judge_enabled),
    Check(SAMPLER, "The sampler keeps the traces that it should", steps.SAMPLING, judge_sampler),
    Check(FORMED, "The OTLP endpoint is a URL", steps.INITIALISED, judge_formed),
    Check(RESOLVES, "The OTLP endpoint's host has an address", steps.INITIALISED, judge_resolved, (FORMED,)),
    Check(
        CONNECTS,
        "Somebody listens at the OTLP endpoint",
        steps.INITIALISED,
        judge_connected,
        (FORMED, RESOLVES, *_COLLECTOR),
    ),
    Check(
        SPEAKS,
        "The OTLP endpoint takes an export",
        steps.INITIALISED,
        judge_spoken,
        (FORMED, RESOLVES, CONNECTS, *_COLLECTOR),
    ),
    Check(
        OURS,
        "The OTLP endpoint is this deployment's collector",
        steps.INITIALISED,
        judge_ours,
        (FORMED, RESOLVES, CONNECTS, SPEAKS),
    ),
)
