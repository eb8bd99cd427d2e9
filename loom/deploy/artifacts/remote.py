"""Prometheus' ways out: the stores it writes to, and the servers whose recorded series it gathers."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from loom.contract import federation
from loom.contract.metrics import ALL
from loom.deploy.artifacts import protection
from loom.deploy.plan.longterm import SendingQueue, queue
from loom.deploy.plan.model import Plan, Service, Site
from loom.deploy.profile.longterm import Remote, RemoteWrite

MESSAGES = {"1.0": "prometheus.WriteRequest", "2.0": "io.prometheus.write.v2.Request"}
"""The protocol's versions, as Prometheus names their messages."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is shown to the other side: paths of files, no secrets."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    user: str = ""
    password: str = ""
    bearer: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """One store, as the template writes it."""

    name: str
    url: str
    message: str
    exemplars: bool
    action: str
    """`keep` or `drop`; empty when all is sent."""
    names: str
    """The names that this is about, as a regular expression."""
    proof: Proof
    queue: SendingQueue


@dataclass(frozen=True, slots=True)
class Source:
    """One server that is scraped for its recorded series."""

    name: str
    scheme: str
    address: str
    path: str
    proof: Proof


def facts(plan: Plan, site: Site) -> dict[str, object]:
    """What the template is told."""
    metrics = plan.profile.metrics
    leaves = metrics.remote_write or metrics.federation.callers or metrics.longterm.thanos
    return {
        "deployment": (federation.DEPLOYMENT_LABEL, plan.profile.name) if leaves else (),
        "writings": [_writing(plan, one, site) for one in metrics.remote_write],
        "sources": [_source(one, site) for one in metrics.federation.sources],
        "name_label": federation.NAME_LABEL,
        "recorded": federation.SELECTOR,
        "gathered": federation.FEDERATED_RULE,
    }


def _writing(plan: Plan, one: RemoteWrite, site: Site) -> Writing:
    action, names = selection(plan, one)
    message = MESSAGES[one.version]
    return Writing(one.name, one.url, message, one.exemplars, action, names, _proof(one, site), queue(plan))


def selection(plan: Plan, one: RemoteWrite) -> tuple[str, str]:
    """Which series a store gets: `keep` or `drop`, and a regular expression of names; both empty for all."""
    if one.series == "recorded":
        return "keep", federation.RECORDED
    wanted = {*(one.keep or (metric.name for metric in ALL))} - {*one.drop}
    if one.series == "loom":
        return "keep", _names(plan, wanted)
    unwanted = {metric.name for metric in ALL} - wanted
    return ("drop", _names(plan, unwanted)) if unwanted else ("", "")


def _names(plan: Plan, metrics: Iterable[str]) -> str:
    chosen = {*metrics}
    series = (one for metric in ALL if metric.name in chosen for one in plan.naming.all_series(metric))
    return "|".join(one.name for one in series)


def _source(one: Remote, site: Site) -> Source:
    parts = urlsplit(one.url)
    port = parts.port or (443 if one.encrypted else 80)
    return Source(
        one.name, parts.scheme, f"{parts.hostname}:{port}", f"{parts.path}/federate", _proof(one, site)
    )


def _proof(one: Remote, site: Site) -> Proof:
    at = protection.folder(str(Service.PROMETHEUS), site)

    def file(name: str | None) -> str:
        return f"{at}/{name}" if name else ""

    return Proof(
        file(one.ca_secret),
        file(one.certificate.cert_secret if one.certificate else None),
        file(one.certificate.key_secret if one.certificate else None),
        one.basic.user if one.basic else "",
        file(one.basic.password_secret if one.basic else None),
        file(one.bearer_secret),
    )
