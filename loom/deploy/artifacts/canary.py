"""What the canary is started with: `python -m loom.canary`, all of it said in its environment."""

from collections.abc import Iterator
from functools import partial

from loom.contract import canary as contract
from loom.contract import environment as variables
from loom.deploy.artifacts import environment, protection
from loom.deploy.plan import rounds
from loom.deploy.plan.model import Plan, Purpose, Service, Site

ARGUMENTS = ("-m", "loom.canary")
_LOOKED_AT = (Purpose.UI, Purpose.HEALTH)
"""Ports that it looks at where it has nothing to say: of every service one shows its certificate."""


def settings(plan: Plan, site: Site) -> tuple[tuple[str, str], ...]:
    """Each variable with its value, by which the canary on a site knows everything."""
    party = str(Service.CANARY)
    own = {
        **environment.endpoints(plan, partial(plan.url, site=site)),
        variables.ENVIRONMENT: plan.profile.environment,
        **environment.credentials(plan, party, protection.folder(party, site)),
        contract.INTERVAL: f"{plan.profile.canary.interval.seconds:g}",
        contract.PATIENCE: f"{rounds.patience(plan.profile):g}" if plan.profile.tracing.tail else "",
        contract.LISTEN: plan.listen(Service.CANARY, Purpose.EXPORTER, site),
        contract.PROMETHEUS: plan.url(Service.PROMETHEUS, Purpose.UI, site),
        contract.JAEGER: plan.url(Service.JAEGER, Purpose.UI, site),
        contract.SERIES: plan.naming.base(contract.SENT),
        contract.WATCH: ",".join(_watched(plan, site)),
    }
    if plan.profile.security.tls.mode != "off":
        own[contract.CREDENTIALS] = protection.folder(party, site)
    return tuple((variable.name, value) for variable, value in own.items() if value)


def met(plan: Plan) -> frozenset[Service]:
    """Whom the canary sends to, or asks."""
    return frozenset(edge.service for edge in plan.edges if edge.source == Service.CANARY)


def _watched(plan: Plan, site: Site) -> Iterator[str]:
    absent = {Service.GRAFANA} if site is Site.NATIVE else set()
    for service in (one for one in plan.services if one not in met(plan) | {Service.CANARY} | absent):
        purpose = next((one for one in _LOOKED_AT if plan.encrypted(service, one)), None)
        if purpose:
            yield f"{plan.address(service, purpose, site)}={service}"
