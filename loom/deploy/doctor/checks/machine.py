"""The machine: disk, memory, clock, certificates, ports."""

from datetime import UTC, datetime

from loom.contract import foreign
from loom.deploy.credentials.advice import complete, selection
from loom.deploy.doctor.checks import steps
from loom.deploy.doctor.evidence import Disk, Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok, warning
from loom.deploy.doctor.stack import SERVICES, Endpoint
from loom.deploy.plan.model import Service
from loom.errors import Problem

DISK, MEMORY, CLOCK, CERTIFICATES, PORTS = "disk", "memory", "clock", "certificates", "ports"
_FULL, _NEARLY = 0.02, 0.10
"""Shares of a file system that are free when it counts as full, and when that is near."""
_LEAST = 256 * 2**20
"""Bytes that must be free in any case, on a file system that is larger than that."""
_SKEW = 5.0
"""Seconds: more, and exemplars, traces and rules of the same moment are looked for at different ones."""
_SOON = 14 * 86_400
"""Seconds."""
_PRESSURE = 0.9
"""Share of its memory limit at which a program is about to be ended by it."""


def judge_disk(evidence: Evidence) -> Judgement:
    """Every file system of the data has room."""
    if not evidence.disks:
        return not_applicable("no folder of this machine is known to hold the data")
    full = [disk for disk in evidence.disks if _full(disk)]
    if full:
        return broken("; ".join(map(_room, full)), f"free some space below {full[0].folder}")
    tight = [disk for disk in evidence.disks if disk.free < max(disk.need, _NEARLY * disk.total)]
    said = "; ".join(map(_room, tight or evidence.disks))
    return warning(said, "free some space, or shorten retention in the profile") if tight else ok(said)


def judge_memory(evidence: Evidence) -> Judgement:
    """No program is near the limit of its memory."""
    plan, used = evidence.stack.plan, dict(evidence.memory)
    page = evidence.page(Endpoint.COLLECTOR_METRICS)
    if page and (resident := round(page.total(foreign.PROCESS_MEMORY.name))):
        used.setdefault(Service.COLLECTOR, resident)
    if plan is None or not used:
        return not_applicable("no memory limit is known" if plan is None else "no process can be seen")
    limits = {service: plan.container(service).memory_mib for service in used}
    shares = {service: size / (limits[service] * 2**20) for service, size in used.items()}
    said = ", ".join(f"{service} {used[service] >> 20} of {limits[service]} MiB" for service in used)
    worst = max(shares, key=lambda service: shares[service])
    remedy = f"give {worst} more memory in the profile, and start again"
    if shares[worst] >= 1:
        return broken(said, remedy)
    return warning(said, remedy) if shares[worst] > _PRESSURE else ok(said)


def judge_clock(evidence: Evidence) -> Judgement:
    """The clocks of the services agree with ours."""
    answered = {answer.url: answer.ahead for answer in evidence.answers.values() if answer.good}
    if not answered:
        return cannot_tell("nothing answers that could say its time")
    worst = max(answered, key=lambda url: abs(answered[url]))
    ahead = answered[worst]
    if abs(ahead) <= _SKEW:
        return ok(f"{len(answered)} answers, none further than {_SKEW:g} s from our clock")
    said = f"{worst} says a time {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    return broken(said, "set both clocks by NTP: timedatectl set-ntp true")


def judge_certificates(evidence: Evidence) -> Judgement:
    """Certificates and secrets are there, and no certificate has ended or soon will."""
    held = evidence.credentials
    if held.wrong:
        return broken("; ".join(map(_said, held.wrong)), _named(evidence, held.wrong[0].hint))
    if not evidence.certificates:
        return not_applicable("no TLS endpoint and no certificate file")
    unread = [f"{each.place}: {each.error}" for each in evidence.certificates if each.error]
    left = {each.place: each.expires - evidence.now for each in evidence.certificates if not each.error}
    said = "; ".join(
        f"{each.place} until {_day(each.expires)}" for each in evidence.certificates if each.expires
    )
    if any(seconds <= 0 for seconds in left.values()):
        ended = ", ".join(place for place, seconds in left.items() if seconds <= 0)
        return broken(f"ended: {said}", f"renew the certificate of {ended}, and restart what serves it")
    if unread or held.closed:
        return cannot_tell("; ".join((*unread, *map(_said, held.closed))))
    if held.soon:
        return warning("; ".join(map(_said, held.soon)), _named(evidence, held.soon[0].hint))
    soon = [place for place, seconds in left.items() if seconds < _SOON]
    return warning(said, f"renew soon: {', '.join(soon)}") if soon else ok(said)


def _said(problem: Problem) -> str:
    return f"{problem.file}: {problem.message}"


def _named(evidence: Evidence, hint: str) -> str:
    """A command about the credentials of this deployment, or of this folder; it can be pasted."""
    stack = evidence.stack
    if stack.plan is None:
        return hint
    name = stack.deployment.name if stack.deployment else ""
    folder = None if stack.deployment else stack.rendered
    return complete(hint, selection(stack.plan.profile.name, name, output=folder))


def judge_ports(evidence: Evidence) -> Judgement:
    """Nobody else listens where a service that is not there should."""
    if evidence.stack.plan is None:
        return not_applicable("which ports should be taken is not known without a profile")
    strangers = [holder for holder in evidence.holders if not _answers(evidence, holder.service)]
    if not strangers:
        return ok("every port is free or a service's own")
    said = "; ".join(
        f"port {holder.port} ({holder.service} {holder.purpose}) is held by {holder.who}"
        for holder in strangers
    )
    return broken(said, "stop it, or move away from it: --set ports.offset=1000")


def _answers(evidence: Evidence, service: Service) -> bool:
    status = evidence.status(service)
    if status is not None:
        return status.ready
    endpoint = next((endpoint for endpoint, known in SERVICES.items() if known is service), None)
    return any(answer.good for (asked, _), answer in evidence.answers.items() if asked is endpoint)


def _full(disk: Disk) -> bool:
    return disk.free < min(_LEAST, _FULL * disk.total)


def _room(disk: Disk) -> str:
    need = f", data may want {_size(disk.need)}" if disk.need > disk.free else ""
    return f"{disk.folder}: {_size(disk.free)} of {_size(disk.total)} free{need}"


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


CHECKS = (
    Check(DISK, "The data has room on its disk", steps.RETENTION, judge_disk),
    Check(MEMORY, "No program is near the limit of its memory", steps.RESOURCES, judge_memory),
    Check(
        CERTIFICATES,
        "Certificates and secrets are there, and none has ended",
        steps.SECURITY,
        judge_certificates,
    ),
    Check(PORTS, "No port is held by somebody else", steps.PORTS, judge_ports),
)
