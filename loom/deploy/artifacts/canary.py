"""What the canary is started with: `python -m loom.canary`, all of it said in its environment."""

from functools import partial

from loom.contract import canary as contract
from loom.contract import environment as variables
from loom.deploy.artifacts import environment, protection
from loom.deploy.plan.model import Plan, Purpose, Service, Site

ARGUMENTS = ("-m", "loom.canary")
_WATCHED = ((Service.ALERTMANAGER, Purpose.UI), (Service.PROXY, Purpose.UI))
"""Ports it does not talk to, whose certificates it looks at all the same; in containers Grafana's too."""


def settings(plan: Plan, site: Site) -> tuple[tuple[str, str], ...]:
    """Each variable with its value, by which the canary on a site knows everything."""
    party = str(Service.CANARY)
    own = {
        **environment.endpoints(plan, partial(plan.url, site=site)),
        variables.ENVIRONMENT: plan.profile.environment,
        **environment.credentials(plan, party, protection.folder(party, site)),
        contract.INTERVAL: f"{plan.profile.canary.interval.seconds:g}",
        contract.LISTEN: plan.listen(Service.CANARY, Purpose.EXPORTER, site),
        contract.PROMETHEUS: plan.url(Service.PROMETHEUS, Purpose.UI, site),
        contract.JAEGER: plan.url(Service.JAEGER, Purpose.UI, site),
        contract.SERIES: plan.naming.base(contract.SENT),
        contract.WATCH: ",".join(_watched(plan, site)),
    }
    if plan.profile.security.tls.mode != "off":
        own[contract.CREDENTIALS] = protection.folder(party, site)
    return tuple((variable.name, value) for variable, value in own.items() if value)


def _watched(plan: Plan, site: Site) -> list[str]:
    more = [(Service.GRAFANA, Purpose.UI)] if site is Site.COMPOSE else []
    return [
        f"{plan.address(service, purpose, site)}={service}"
        for service, purpose in (*_WATCHED, *more)
        if plan.encrypted(service, purpose)
    ]
