"""Every question of the doctor, asked once: the only place where both seams are used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from loom.contract.environment import ENDPOINT
from loom.deploy.doctor import environment
from loom.deploy.doctor.environment import GRPC, HTTP
from loom.deploy.doctor.evidence import (
    Answer,
    Certificate,
    Credentials,
    Destination,
    Disk,
    Evidence,
    Holder,
    Sender,
)
from loom.deploy.doctor.machine import Machine
from loom.deploy.doctor.network import Network, read_certificate
from loom.deploy.doctor.papers import Papers, of_deployment, of_environment
from loom.deploy.doctor.questions import ASKED, METRICS
from loom.deploy.doctor.stack import Endpoint, Stack, bound
from loom.deploy.engine import ServiceStatus, named
from loom.deploy.plan.identity import FOLDER
from loom.deploy.plan.model import Service

APART = 1.5
"""Seconds between two looks at the collector's counters: several times what a batch waits."""
_CERTIFICATES = (".pem", ".crt")
_DEFAULT_PORTS = {GRPC: 4317, HTTP: 4318}
_NEEDS = {Service.PROMETHEUS: "prometheus_bytes", Service.JAEGER: "jaeger_bytes"}
"""Service → the estimate of the plan that says how large its data may become."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Both seams."""

    network: Network
    machine: Machine


def gather(stack: Stack, effects: Effects) -> Evidence:
    """One look at everything, and a second one at the collector's counters."""
    network, machine = effects.network, effects.machine
    statuses = _statuses(stack)
    files = machine.files(stack.folder) if stack.folder else {}
    evidence = Evidence(
        stack,
        machine.now(),
        _answers(stack, network),
        destinations=tuple(_destinations(stack, network)),
        statuses=statuses,
        holders=tuple(_holders(stack, machine)),
        files=files,
        disks=tuple(_disks(stack, machine)),
        memory=_memory(statuses, machine),
        senders=_senders(stack, machine),
        certificates=tuple(_certificates(stack, files, network)),
        credentials=_credentials(stack, machine),
    )
    evidence = replace(evidence, refusals=_refusals(stack, evidence, machine))
    return replace(evidence, second=_again(stack, effects))


def _statuses(stack: Stack) -> tuple[ServiceStatus, ...]:
    deployment = stack.deployment
    return named(deployment.engine).status(deployment) if deployment else ()


def _memory(statuses: tuple[ServiceStatus, ...], machine: Machine) -> dict[Service, int]:
    pids = {service: status.pid for service in Service for status in statuses if status.service == service}
    return {service: machine.resident(pid) for service, pid in pids.items() if pid}


def _answers(stack: Stack, network: Network) -> dict[tuple[Endpoint, str], Answer]:
    found = {}
    for endpoint, paths in ASKED.items():
        for path in paths if endpoint in stack.endpoints else ():
            answer = network.get(stack.endpoints[endpoint] + path)
            found[endpoint, path] = answer
            if answer.error:
                break  # whoever does not answer the first question is not asked the others
    return found


def _again(stack: Stack, effects: Effects) -> Answer | None:
    address = stack.endpoints.get(Endpoint.COLLECTOR_METRICS)
    if address is None:
        return None
    effects.machine.pause(APART)
    return effects.network.get(address + METRICS)


def _destinations(stack: Stack, network: Network) -> Iterator[Destination]:
    """Where the environment sends; where it says nothing, the deployment's own address."""
    said = environment.destinations(stack.environ)
    own = stack.endpoints.get(Endpoint.OTLP, "")
    if not said and environment.given(stack.environ) and not own:
        own = ENDPOINT.default
    protocol = environment.protocol(stack.environ) if said else GRPC
    for origin, url in said.items() or ([("", own)] if own else []):
        papers = of_environment(stack.environ, origin) if origin else _own_papers(stack)
        yield _tried(Destination(origin, url, protocol, environment.malformed(url)), network, papers)


def _own_papers(stack: Stack) -> Papers:
    """What the deployment holds ready for Loom."""
    known = stack.plan and stack.rendered
    return of_deployment(stack.plan, known / FOLDER) if stack.plan and known else Papers()


def _tried(destination: Destination, network: Network, papers: Papers) -> Destination:
    """As far as it goes: name, connection, OTLP, and OTLP in the other protocol."""
    if destination.malformed or destination.protocol not in _DEFAULT_PORTS:
        return destination
    parts = urlsplit(destination.url)
    host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[destination.protocol]
    if unresolved := network.resolve(host):
        return replace(destination, unresolved=unresolved)
    if unconnected := network.connect(host, port):
        return replace(destination, unconnected=unconnected)
    base = parts._replace(path="").geturl()
    refused = network.export(base, destination.protocol, papers)
    if not refused:
        return destination
    other = HTTP if destination.protocol == GRPC else GRPC
    taken = not network.export(base, other, papers)
    return replace(destination, refused=refused, other=other if taken else "")


def _holders(stack: Stack, machine: Machine) -> Iterator[Holder]:
    if stack.plan is None:
        return
    listening = machine.listeners()
    own = machine.own(stack.deployment.home) if stack.deployment else frozenset()
    for port in bound(stack.plan, stack.deployment):
        if port.native in listening and listening[port.native] not in own:
            yield Holder(port.native, port.service, port.purpose, machine.who(port.native))


def _disks(stack: Stack, machine: Machine) -> Iterator[Disk]:
    """The file systems of the services' data; one that holds several folders is told once."""
    own = stack.folder or stack.rendered
    folders: dict[Path, int] = {own: 0} if own else {}
    if stack.deployment and stack.plan:
        data = stack.deployment.home.data
        for service in Service:
            estimate = _NEEDS.get(service)
            folders[data / service] = getattr(stack.plan.estimate, estimate) if estimate else 0
    shared: dict[tuple[int, int], Disk] = {}
    for folder, need in folders.items():
        if disk := machine.disk(folder):
            same = shared.get((disk.total, disk.free), disk)
            shared[disk.total, disk.free] = replace(same, need=same.need + need)
    yield from shared.values()


def _senders(stack: Stack, machine: Machine) -> tuple[Sender, ...]:
    """Only on this machine: another one's processes cannot be seen."""
    parts = urlsplit(stack.endpoints.get(Endpoint.OTLP, ""))
    own = machine.own(stack.deployment.home) if stack.deployment else frozenset()
    if parts.hostname not in {"127.0.0.1", "localhost", "::1"} or not parts.port:
        return ()
    return tuple(sender for sender in machine.senders(parts.port) if sender.pid not in own)


def _refusals(stack: Stack, evidence: Evidence, machine: Machine) -> Mapping[str, str]:
    if stack.folder is None:
        return {}
    data = stack.deployment.home.data if stack.deployment else stack.folder
    folder = stack.folder.resolve()
    base = folder.parent if folder.is_file() else folder
    answers = {
        path: machine.refusal(base / path, {"LOOM_DATA": str(data.resolve())})
        for path in evidence.collector_files
    }
    return {path: said for path, said in answers.items() if said is not None}


def _credentials(stack: Stack, machine: Machine) -> Credentials:
    known = stack.plan and stack.rendered
    return machine.credentials(stack.plan, known) if stack.plan and known else Credentials()


def _certificates(stack: Stack, files: Mapping[str, str], network: Network) -> Iterator[Certificate]:
    for path, text in files.items():
        if path.endswith(_CERTIFICATES) and "BEGIN CERTIFICATE" in text:
            yield read_certificate(path, text)
    for url in sorted({*stack.endpoints.values(), *environment.destinations(stack.environ).values()}):
        if url.startswith("https://") and not environment.malformed(url):
            parts = urlsplit(url)
            yield network.certificate(parts.hostname or "", parts.port or 443)
