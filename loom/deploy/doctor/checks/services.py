"""The services: whether each runs, answers, and is of the version that the configuration is for."""

import re
from collections.abc import Callable, Mapping

from loom.deploy.doctor.checks import configuration, machine, steps
from loom.deploy.doctor.checks.versions import judge_versions
from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok, warning
from loom.deploy.doctor.questions import ASKED
from loom.deploy.doctor.stack import SERVICES, Endpoint, embedded
from loom.deploy.engine import ServiceStatus
from loom.deploy.engine.embedded import RECEIVER
from loom.deploy.plan.model import Service

STACK, VERSIONS = "stack", "versions"
_BARE = "loom-deploy up --engine embedded"
_STEADY = 60.0
"""Seconds: whoever has run this long since the last restart is out of its loop."""
_STEPS: Mapping[str, str] = {
    RECEIVER: steps.COLLECTOR,
    Service.COLLECTOR: steps.COLLECTOR,
    Service.GRAFANA: steps.SOURCE,
    Service.ALERTMANAGER: steps.ALERTING,
}
_RUNNING: Mapping[str, tuple[str, ...]] = {
    Service.GRAFANA: (),
    Service.JAEGER: (Service.JAEGER, Service.PROXY),
}
"""Who must run for a service to answer, where it is not that service alone."""
_TELLING = re.compile(r"error|fatal|panic|failed|cannot", re.IGNORECASE)
"""What a log line says that tells why."""
_WIDTH = 240
"""Characters of a log line that are quoted."""


def runs(service: str) -> str:
    """Name of the check that a service runs."""
    return f"{service}-runs"


def answers(service: str) -> str:
    """Name of the check that a service answers."""
    return f"{service}-answers"


def judge_stack(evidence: Evidence) -> Judgement:
    """Anything answers at all."""
    asked = [answer for answer in evidence.answers.values() if not answer.error]
    if asked or any(status.ready or status.pid for status in evidence.statuses):
        return ok(f"{len(asked)} answers")
    if not evidence.answers:
        return cannot_tell("no endpoint is known that could be asked")
    places = ", ".join(sorted({answer.url for answer in evidence.answers.values()}))
    return broken(f"nothing answers: {places}", _start(evidence))


def judge_running(evidence: Evidence, service: str) -> Judgement:
    """The service runs, and does not die again and again."""
    status = evidence.status(service)
    if status is None:
        why = "the engine does not run it" if evidence.statuses else "loom-deploy did not start it"
        return not_applicable(why)
    name = evidence.stack.deployment.name if evidence.stack.deployment else ""
    log = f"see its log: loom-deploy logs --name {name} {service}"
    if status.looping and not (status.ready and status.uptime > _STEADY):
        times = f"{status.restarts} times in the last minutes" if status.restarts else "as soon as it starts"
        return broken(f"{service} is {status.state}: it ends again and again, {times}{_last(status)}", log)
    if not status.uptime and not status.ready:
        return broken(f"{service} is {_state(status)}{_last(status)}", f"start it again: {_up(evidence)}")
    said = f"{service} is {status.state}, for {status.uptime:.0f} s"
    return warning(f"{said}, after {status.restarts} restarts", log) if status.looping else ok(said)


def judge_answering(evidence: Evidence, endpoint: Endpoint) -> Judgement:
    """The service answers the question that it answers when it can work."""
    answer = evidence.asked(endpoint, ASKED[endpoint][0])
    absent = evidence.statuses and evidence.status(SERVICES[endpoint]) is None
    if answer is None:
        unknown = f"no address of it is known (--endpoint {endpoint}=…)"
        return not_applicable("the engine does not run it" if absent else unknown)
    stranger = answer.good and endpoint is Endpoint.RECEIVER and evidence.report is None
    if answer.good and not stranger:
        return ok(answer.said)
    if absent:
        return not_applicable("the engine does not run it, and nothing answers in its place")
    said = f"{answer.said}, without a report" if stranger else answer.said
    return broken(said, _log(evidence, SERVICES[endpoint]))


def _log(evidence: Evidence, service: str) -> str:
    deployment = evidence.stack.deployment
    if deployment is None and service == RECEIVER:
        return f"start it: {_BARE}"
    command = (
        f"loom-deploy logs --name {deployment.name} {service}"
        if deployment
        else f"docker logs loom-{service}"
    )
    return f"start it, or see why it does not answer: {command}"


def _start(evidence: Evidence) -> str:
    deployment, plan = evidence.stack.deployment, evidence.stack.plan
    if deployment:
        return f"start it again: loom-deploy down --name {deployment.name}, then {_up(evidence)}"
    if Endpoint.RECEIVER in evidence.stack.endpoints:
        return f"start it: {_BARE}"
    up = f"loom-deploy up --profile {plan.profile.name}, or " if plan else ""
    return f"start it: {up}docker compose -f docker-compose.observability.yaml up -d --wait"


def _up(evidence: Evidence) -> str:
    plan, deployment = evidence.stack.plan, evidence.stack.deployment
    profile = f" --profile {plan.profile.name}" if plan else ""
    name = f" --name {deployment.name}" if deployment else ""
    # Left to itself, `up` takes a larger one as soon as there is one.
    engine = " --engine embedded" if embedded(deployment) else ""
    return f"loom-deploy up{profile}{name}{engine}, with the same --set as before"


def _state(status: ServiceStatus) -> str:
    """Its state; where there is nothing that could have one, what is gone."""
    return f"{status.state}: {status.obstacle}" if status.state == "ABSENT" else status.state


def _last(status: ServiceStatus) -> str:
    if status.state == "STOPPED":
        return ""  # somebody told it to: it had nothing to say
    lines = [" ".join(line.split()) for line in status.tail if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)] or lines
    return f"; its last words: {telling[-1][:_WIDTH]}" if telling else ""


def _running(service: str) -> Callable[[Evidence], Judgement]:
    return lambda evidence: judge_running(evidence, service)


def _answering(endpoint: Endpoint) -> Callable[[Evidence], Judgement]:
    return lambda evidence: judge_answering(evidence, endpoint)


def _needed(service: str) -> tuple[str, ...]:
    """Who must run for it to answer; where people must log in, Jaeger answers through the proxy."""
    return tuple(map(runs, _RUNNING.get(service, (service,))))


_BEFORE = (configuration.YAML, configuration.COMPONENTS, configuration.ACCEPTED)
_HOLD = (machine.DISK, machine.CERTIFICATES, machine.PORTS, machine.MEMORY, STACK)
_RUN = tuple(
    Check(
        runs(service),
        f"{service} runs",
        steps.LOOPS,
        _running(service),
        (*(_BEFORE if service is Service.COLLECTOR else ()), *_HOLD),
    )
    for service in Service
    if service is not Service.GRAFANA
)
_ANSWER = tuple(
    Check(
        answers(service),
        f"{service} answers",
        _STEPS.get(service, steps.BEYOND),
        _answering(endpoint),
        (*_needed(service), machine.CERTIFICATES, machine.PORTS, machine.DISK, STACK),
    )
    for endpoint, service in SERVICES.items()
)
CHECKS = (
    # Where the embedded receiver is all there is, its end says more than that nothing answers.
    Check(
        runs(RECEIVER),
        "The embedded receiver runs",
        steps.COLLECTOR,
        _running(RECEIVER),
        (machine.DISK, machine.PORTS),
    ),
    Check(STACK, "The stack runs", steps.COLLECTOR, judge_stack, (*_BEFORE, machine.PORTS, runs(RECEIVER))),
    *_RUN,
    *_ANSWER,
    Check(machine.CLOCK, "All clocks agree", steps.REFRESH, machine.judge_clock, (STACK,)),
    Check(
        VERSIONS,
        "The versions are those that the configuration is for",
        steps.BEYOND,
        judge_versions,
        (STACK,),
    ),
)
