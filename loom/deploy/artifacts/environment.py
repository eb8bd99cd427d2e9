"""`.env`: what Loom must be told to report here; compose reads it for the collector's environment label."""

from collections.abc import Callable

from loom.contract import environment as variables
from loom.contract.environment import Variable
from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.template import fill
from loom.deploy.plan import topology
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.identity import CA, CERTIFICATE, FOLDER, KEY, TOKEN
from loom.deploy.plan.model import Method, Plan, Purpose, Service

NAME = ".env"
SECRETS = "LOOM_SECRETS"
"""Says where the credentials lie, for who reads `.env` from another folder."""


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The one file."""
    at = f"${{{SECRETS}:-./{FOLDER}}}/{LOOM}"
    text = fill(f"environment/{NAME}.j2", profile=plan.profile.name, settings=settings(plan, at))
    return (Artifact(NAME, text, "Environment variables for Loom itself: `set -a; . ./.env; set +a`."),)


def settings(plan: Plan, credentials_folder: str) -> list[tuple[Variable, str]]:
    """Each variable with its value for a Loom process on this machine; its credentials lie in the folder."""
    profile = plan.profile
    values = {
        **endpoints(plan, plan.reached),
        variables.SERVICE_NAME: profile.loom.service_name,
        variables.SAMPLER: str(profile.tracing.sampler),
        variables.ENVIRONMENT: profile.environment,
        variables.EXPORT_INTERVAL: str(profile.metrics.export_interval.base),
        **credentials(plan, LOOM, credentials_folder),
    }
    return list(values.items())


def endpoints(plan: Plan, url: Callable[[Service, Purpose], str]) -> dict[Variable, str]:
    """Where a sender sends; of the topology `split` each signal elsewhere, whatever else first."""
    entries = topology.entries(plan.profile)
    addresses = [url(entry, Purpose.OTLP_GRPC) for entry in entries]
    found = {variables.ENDPOINT: addresses[0]}
    if len(entries) > 1:
        signals = (variables.TRACES.endpoint, variables.METRICS.endpoint)
        found |= dict(zip(signals, addresses, strict=True))
    return found


def credentials(plan: Plan, party: str, folder: str) -> dict[Variable, str]:
    """What a sender of OTLP shows and trusts; nothing where all is plain."""
    entry = topology.entries(plan.profile)[0]
    methods = {edge.method for edge in plan.edges if edge.source == party and edge.service is entry}
    if not plan.encrypted(entry, Purpose.OTLP_GRPC):
        return {}
    found = {variables.CERTIFICATE: f"{folder}/{CA}"}
    if Method.CERTIFICATE in methods:
        found |= {
            variables.CLIENT_CERTIFICATE: f"{folder}/{CERTIFICATE}",
            variables.CLIENT_KEY: f"{folder}/{KEY}",
        }
    if Method.TOKEN in methods:
        found[variables.TOKEN_FILE] = f"{folder}/{TOKEN}"
    return found
