"""The services: whether each runs, answers, and is of the version that the configuration is for."""

import re
from collections.abc import Callable

from loom.deploy.doctor.checks import configuration, machine, steps
from loom.deploy.doctor.checks.versions import judge_versions
from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok, warning
from loom.deploy.doctor.questions import ASKED
from loom.deploy.doctor.stack import SERVICES, Endpoint
from loom.deploy.engine import ServiceStatus
from loom.deploy.plan.model import Service

STACK, VERSIONS = "stack", "versions"
_STEADY = 60.0
"""Seconds: whoever has run this long since the last restart is out of its loop."""
_STEPS = {
    Service.COLLECTOR: steps.COLLECTOR,
    Service.GRAFANA: steps.SOURCE,
    Service.ALERTMANAGER: steps.ALERTING,
}
_TELLING = re.compile(r"error|fatal|panic|failed|cannot", re.IGNORECASE)
"""What a log line says that tells why."""
_WIDTH = 240
"""Characters of a log line that are quoted."""


def runs(service: Service) -> str:
    """Name of the check that a service runs."""
    return f"{service}-runs"


def answers(service: Service) -> str:
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


def judge_running(evidence: Evidence, service: Service) -> Judgement:
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
        return broken(f"{service} is {status.state}{_last(status)}", f"start it again: {_up(evidence)}")
    said = f"{service} is {status.state}, for {status.uptime:.0f} s"
    return warning(f"{said}, after {status.restarts} restarts", log) if status.looping else ok(said)


def judge_answering(evidence: Evidence, endpoint: Endpoint) -> Judgement:
    """The service answers the question that it answers when it can work."""
    answer = evidence.asked(endpoint, ASKED[endpoint][0])
    if answer is None:
        return not_applicable(f"no address of it is known (--endpoint {endpoint}=…)")
    if answer.good:
        return ok(answer.said)
    if evidence.statuses and evidence.status(SERVICES[endpoint]) is None:
        return not_applicable("the engine does not run it, and nothing answers in its place")
    return broken(answer.said, _log(evidence, SERVICES[endpoint]))


def _log(evidence: Evidence, service: Service) -> str:
    deployment = evidence.stack.deployment
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
    up = f"loom-deploy up --profile {plan.profile.name}, or " if plan else ""
    return f"start it: {up}docker compose -f docker-compose.observability.yaml up -d --wait"


def _up(evidence: Evidence) -> str:
    plan, deployment = evidence.stack.plan, evidence.stack.deployment
    profile = f" --profile {plan.profile.name}" if plan else ""
    name = f" --name {deployment.name}" if deployment else ""
    return f"loom-deploy up{profile}{name}, with the same --set as before"


def _last(status: ServiceStatus) -> str:
    if status.state == "STOPPED":
        return ""  # somebody told it to: it had nothing to say
    lines = [" ".join(line.split()) for line in status.tail if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)] or lines
    return f"; its last words: {telling[-1][:_WIDTH]}" if telling else ""


def _running(service: Service) -> Callable[[Evidence], Judgement]:
    return lambda evidence: judge_running(evidence, service)


def _answering(endpoint: Endpoint) -> Callable[[Evidence], Judgement]:
    return lambda evidence: judge_answering(evidence, endpoint)


def _needed(service: Service) -> tuple[str, ...]:
    """Who must run for it to answer; where people must log in, Jaeger answers through the proxy."""
    running = {Service.GRAFANA: (), Service.JAEGER: (Service.JAEGER, Service.PROXY)}.get(service, (service,))
    return tuple(map(runs, running))


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
    Check(STACK, "The stack runs", steps.COLLECTOR, judge_stack, (*_BEFORE, machine.PORTS)),
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
